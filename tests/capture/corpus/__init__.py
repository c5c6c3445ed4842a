"""Values of every kind that a program may pass to a recorded function, and what records them.

Each module is a kind: it makes what its values need and lists the values as Python expressions, one a line, in
`VALUES`. `python -m corpus KIND`, started by ../test_golden.py, captures each of them once for the tape and once with
`SmartSerializer`. An expression whose text depends on the interpreter ends with
`# from 3.12` or `# before 3.12`; one whose fields are stored in the order of a set, with `# in any order`.

The expressions must give the same text in every run: no addresses, no clock, no order that hashing decides.
"""
