"""What calltape costs, measured beside what else one could use, in one run.

`make bench` runs it on each supported interpreter, `make bench-quick` in under a minute on one. Every scenario records
in processes of its own; the process that prints the table never imports calltape.
"""
