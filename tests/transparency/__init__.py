"""No one can tell a decorated function from the bare one: one behaviour a file, each check run on both and compared."""
