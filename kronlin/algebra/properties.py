"""Self-adjoint, positive semidefinite, positive definite: each True, False or unknown (None)."""

from typing import NamedTuple

Answer = bool | None


class Properties(NamedTuple):
    """Three answers that are consistent with pd ⇒ psd ⇒ self-adjoint; make them with `properties(...)`."""

    self_adjoint: Answer = None
    psd: Answer = None
    pd: Answer = None

    def __or__(self, other: "Properties") -> "Properties":
        """Join what two sources know about one operator; a contradiction is an error."""
        answers = []
        for name, mine, theirs in zip(self._fields, self, other, strict=True):
            if None not in (mine, theirs) and mine != theirs:
                raise ValueError(f"the operator is known {'' if mine else 'not '}to be {name.replace('_', '-')}")
            answers.append(theirs if mine is None else mine)
        return properties(*answers)

    @property
    def promise(self) -> "Properties":
        """What is known to hold; that something is known to fail is left out."""
        return Properties(*(answer or None for answer in self))

    @property
    def word(self) -> str:
        """The strongest promise in one word, for `repr`."""
        if self.pd:
            return "pd"
        if self.psd:
            return "psd"
        return "self-adjoint" if self.self_adjoint else ""


def properties(self_adjoint: Answer = None, psd: Answer = None, pd: Answer = None) -> Properties:
    """Close three answers under implication: pd ⇒ psd ⇒ self-adjoint, and back for False.

    >>> properties(pd=True)
    Properties(self_adjoint=True, psd=True, pd=True)
    """
    if pd:
        psd = True
    if psd:
        self_adjoint = True
    if self_adjoint is False:
        psd = False
    if psd is False:
        pd = False
    return Properties(self_adjoint, psd, pd)


def every(answers: list[Answer]) -> Answer:
    """True if all are True, False never: a whole can have what a part lacks, so a lack is unknown.

    (-I) ⊗ (-I) is psd although its factors are not.
    """
    return True if all(answer is True for answer in answers) else None


def of_power(known: Properties, p: float) -> Properties:
    """What Aᵖ inherits from A: λᵖ has the sign of λ for an odd p, and none for an even one."""
    if not known.self_adjoint:
        return UNKNOWN
    if p == 0 or (p < 0 and known.psd):
        return PD
    if known.psd or p % 2 == 1:
        return known
    return properties(psd=True, pd=known.pd or None) if p % 2 == 0 else SELF_ADJOINT


UNKNOWN = Properties()
NOTHING = Properties(False, False, False)
SELF_ADJOINT = properties(self_adjoint=True)
PSD = properties(psd=True)
PD = properties(pd=True)
