#!/usr/bin/env python3
"""The checker of journals must see each of these faults."""
import copy
import unittest

from journal_check import check


def entry(first, order, *sources):
    steps = sum(how if what >= 4 else 1 for what, how in zip(order[::2], order[1::2]))
    return {"lineage": "l", "first": str(first), "last": str(first + steps - 1), "order": [str(n) for n in order],
            "sources": [{"topic": t, "first_offset": str(a), "last_offset": str(b), "count": str(n)} for t, a, b, n in sources]}


OFFSETS = {("x", 0): [0, 1, 3, 4], ("y", 0): [7]}
JOURNAL = {0: [entry(1, [4, 2, 0, 0, 5, 1], ("x", 0, 1, 2), ("y", 7, 7, 1)), entry(5, [1, 0, 4, 2], ("x", 3, 4, 2), ("y", 0, 0, 0))]}


class JournalCheck(unittest.TestCase):
    def problems(self, change=lambda journal, offsets: None):
        journal, offsets = copy.deepcopy(JOURNAL), copy.deepcopy(OFFSETS)
        change(journal, offsets)
        return " | ".join(check(journal, offsets)[0])

    def test_a_whole_journal_has_no_problem(self):
        self.assertEqual(self.problems(), "")
        self.assertEqual(check(JOURNAL, OFFSETS)[1], 5)

    def test_an_input_that_was_never_applied(self):
        self.assertIn("1 of 5 records were never applied", self.problems(lambda j, o: o["x", 0].append(5)))
        self.assertIn("1 of 1 records were never applied", self.problems(lambda j, o: o.update({("z", 1): [0]})))

    def test_an_input_that_was_skipped(self):
        self.assertIn("next to be applied were", self.problems(lambda j, o: o["x", 0].insert(2, 2)))

    def test_an_entry_that_stands_twice(self):
        self.assertIn("the entry before ended at 4", self.problems(lambda j, o: j[0].insert(1, j[0][0])))

    def test_an_entry_that_is_lost(self):
        self.assertIn("steps begin at 5, the entry before ended at 0", self.problems(lambda j, o: j[0].pop(0)))

    def test_steps_that_do_not_add_up(self):
        self.assertIn("holds 3 steps, says 4", self.problems(lambda j, o: j[0][0].update(order=["4", "2", "5", "1"])))

    def test_a_run_whose_count_differs(self):
        def more(journal, offsets):
            journal[0][0]["sources"][0]["count"] = "3"
        self.assertIn("3 records, the order has 2", self.problems(more))

    def test_two_histories_in_one_journal(self):
        self.assertIn("another lineage", self.problems(lambda j, o: j[0][1].update(lineage="m")))


if __name__ == "__main__":
    unittest.main()
