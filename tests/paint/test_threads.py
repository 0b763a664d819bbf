from __future__ import annotations

from threading import Thread

from ebmlab.paint.threads import kept_by_thread


def test_that_a_thread_keeps_what_it_made_and_shares_it_with_no_other():
    made = []

    @kept_by_thread(4)
    def make(name, *, size=1):
        made.append((name, size))
        return object()

    found = []

    def work():
        found.append([make("a"), make("a"), make("a", size=2)])

    for _ in range(2):  # one after the other, so that the second may be given the number of the first
        thread = Thread(target=work)
        thread.start()
        thread.join()
    first, second = found
    assert first[0] is first[1]
    assert first[0] is not first[2]
    assert first[0] is not second[0]
    assert made == [("a", 1), ("a", 2)] * 2
