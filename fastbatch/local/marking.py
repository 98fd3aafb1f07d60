"""How the services of an instance are known among all processes, should nobody have written down which they are."""

INSTANCE_MARK = "FASTBATCH_LOCAL_INSTANCE"  # each of them has the instance's home in this variable
