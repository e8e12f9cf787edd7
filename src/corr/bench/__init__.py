"""`corr bench`: corr beside the FMA peak, a copy, and its peers, in one run.

`suites` says which layers, `subjects` and `peers` who computes them, `check` whether they
compute the same, `measure` how long it takes (in the process that `worker` is), `report`,
`plot` and `compare` what to make of it.
"""
