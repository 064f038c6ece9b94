"""Readiness for a GPU, shown without one by stand-ins, and with one by the tests marked gpu."""
