"""The open functions of the algebra; each operator registers its own rules in its own file.

A rule may see a stack of operators (a bucket of `BlockDiagonal`): its arrays then have one leading axis more,
so kernels speak of the last two axes, and scalars such as a trace have the shape of the stack.
"""

from kronlin.algebra.dispatch import Rule

compose = Rule("compose", 2, "A @ B as an operator")
add = Rule("add", 2, "A + B")
gram = Rule("gram", 2, "Aᴴ B as an array")
inner = Rule("inner", 2, "the inner product tr(Aᴴ B) of two operators of one shape")
project = Rule("project", 2, "the pair of A Z as an operator and Zᴴ A Z as an array")

adjoint = Rule("adjoint", 1, "Aᴴ")
conjugate = Rule("conjugate", 1, "the complex conjugate of A")
scale = Rule("scale", 1, "c A")
shift = Rule("shift", 1, "A + c I")
inverse = Rule("inverse", 1, "A⁻¹")
pinv = Rule("pinv", 1, "A⁺")
power = Rule("power", 1, "Aᵖ")
eigh = Rule("eigh", 1, "the Spectral Q diag(w) Qᴴ of a self-adjoint A")
columns = Rule("columns", 1, "the operator of chosen columns of A")
modulus2 = Rule("modulus2", 1, "the operator of the squared moduli |a_ij|²")
rearrange = Rule("rearrange", 1, "A with rows and columns regrouped: vec(G) vec(B)ᵀ for A = G ⊗ B")

wrap = Rule("wrap", 1, "an operator from an array or a foreign operator")
solve = Rule("solve", 1, "A⁻¹ b")
to_dense = Rule("to_dense", 1, "A as an array")
trace = Rule("trace", 1, "tr A")
diagonal = Rule("diagonal", 1, "the diagonal of A as an array")
slogdet = Rule("slogdet", 1, "the pair of sign(det A) and log |det A|")
norm = Rule("norm", 1, "the Frobenius norm of A")
wide_gram = Rule("wide_gram", 1, "Aᴴ A as an array, from sums in double precision where there is a rule for that")
