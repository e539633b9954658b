#!/usr/bin/env python3
"""Keys stay the same through what is rare: a start that the operator forces, a gap where symbols are told. Real broker."""
import collections
import unittest

import recovery_world
from recovery_world import Feed, RealBroker


class Symbols(RealBroker):
    def one_key_an_instrument(self, feed):
        keys = collections.defaultdict(set)
        for record in feed.log().records:
            keys[feed.messages[record.position][1:3]].add(record.key)  # the stock locate of ITCH
        self.assertEqual({n: k for n, k in keys.items() if len(k) > 1 and n != bytes(2)}, {}, feed.told())

    def test_a_start_further_on_in_the_session_knows_its_symbols(self):
        for delivery in ("exactly_once", "at_least_once"):
            with self.subTest(delivery):
                feed = Feed(self, interval="2s", **{"feed.default.delivery": delivery})
                feed.exchange("--rate", 6_000)
                feed.start()
                feed.acknowledged(3_000)
                feed.stop()
                feed.start("--start", "12000")
                feed.acknowledged(3_000)
                feed.kill()
                feed.settings["checkpoint.interval"] = "200ms"
                feed.to_the_end()
                log = feed.log()
                self.assertEqual([n for n in log.lost if n >= 11_999], [], feed.told())
                if delivery == "exactly_once":
                    self.assertEqual((log.doubled, log.out_of_order()), ([], 0), feed.told())
                self.one_key_an_instrument(feed)

    def test_a_gap_behind_the_first_login_takes_no_symbols_away(self):
        for delivery in ("exactly_once", "transactional"):
            with self.subTest(delivery):
                feed = Feed(self, interval="2s", **{"feed.default.delivery": delivery})
                feed.exchange("--rate", 2_500)
                feed.start()
                feed.acknowledged(2_500)
                feed.kill()
                feed.settings["checkpoint.interval"] = "200ms"
                feed.exchange("--fault", "skip:200@100")
                feed.to_the_end()
                log = feed.log()
                self.assertEqual((log.doubled, log.out_of_order()), ([], 0), feed.told())
                self.one_key_an_instrument(feed)


if __name__ == "__main__":
    recovery_world.in_venv()
    unittest.main(verbosity=2)
