"""There is one thread here: one that is started is kept, and run by whoever measures it."""

started: list = []


def start_new_thread(function, arguments):
    started.append((function, arguments))


def stack_size(size=0):
    return size
