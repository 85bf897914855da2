use proptest::prelude::*;

use super::*;
use crate::scan::Clocks;

fn tally(scanned: i64, on_hand: i64) -> Tally {
    Tally {
        sku: "A".into(),
        scanned,
        scans: 1,
        on_hand,
        ..Tally::default()
    }
}

#[test]
fn a_sale_after_the_scan_is_no_variance() {
    let sold_two = Tally {
        moved_after: -2,
        ..tally(10, 8)
    };
    assert_eq!((sold_two.expected(), sold_two.variance()), (10, 0));
    assert_eq!(
        Settlement::new(vec![sold_two], false),
        Settlement::default()
    );
}

#[test]
fn a_variance_changes_the_balance_of_today() {
    let one_missing_two_sold = Tally {
        moved_after: -2,
        ..tally(9, 8)
    };
    let settlement = Settlement::new(vec![one_missing_two_sold], false);
    let delta = Delta {
        sku: "A".into(),
        units: -1,
    };
    assert_eq!((settlement.largest(), settlement.deltas), (1, vec![delta]));
}

#[test]
fn what_is_reserved_stays_and_the_rest_is_settled() {
    let promised = Tally {
        reserved: 4,
        ..tally(3, 5)
    };
    let other = Tally {
        sku: "B".into(),
        ..tally(7, 5)
    };
    let settlement = Settlement::new(vec![promised.clone(), other], false);
    assert_eq!(settlement.conflicts, [(promised, Conflict::BelowReserved)]);
    assert_eq!(settlement.deltas.len(), 1);
}

#[test]
fn more_than_expected_is_never_below_what_is_reserved() {
    let found = Tally {
        reserved: 9,
        ..tally(8, 7)
    };
    assert_eq!(Settlement::new(vec![found], false).largest(), 1);
}

#[test]
fn what_is_in_doubt_waits_for_somebody() {
    let moved = Tally {
        moved_within: 1,
        ..tally(3, 5)
    };
    let settlement = Settlement::new(vec![moved.clone()], false);
    assert_eq!(settlement.deltas, []);
    assert_eq!(settlement.conflicts[0].1, Conflict::MovedWhileCounted);
    assert_eq!(Settlement::new(vec![moved], true).largest(), 2);
    let awaited = Tally {
        recounted: true,
        scans: 0,
        ..tally(0, 5)
    };
    for accept_moved in [false, true] {
        let settlement = Settlement::new(vec![awaited.clone()], accept_moved);
        assert_eq!(settlement.conflicts[0].1, Conflict::AwaitingRecount);
    }
}

#[test]
fn a_late_scan_belongs_to_the_round_in_which_it_was_taken() {
    let count = Count {
        zones: vec![],
        skus: None,
        recounted: BTreeMap::from([(
            "A".into(),
            Recount {
                round: 3,
                from_ms: 100,
            },
        )]),
        reviewed_at_ms: None,
    };
    let rounds = [("A", 99), ("A", 100), ("B", 100)].map(|(sku, at)| count.round_of(sku, at));
    assert_eq!(rounds, [2, 3, 1]);
}

/// What happens next in a shop that is being counted.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A unit leaves a zone over the till.
    Sale { zone: usize },
    /// Units are put into a zone, and booked.
    Receipt { zone: usize, units: i64 },
    /// Somebody counts what lies in a zone now.
    Scan { zone: usize, device: usize },
    /// A device sends all that it has, again and in whatever order.
    Send { device: usize, reversed: bool },
    /// Somebody else's count puts the balance right.
    Corrected,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..ZONES).prop_map(|zone| Step::Sale { zone }),
        1 => (0..ZONES, 1..4i64).prop_map(|(zone, units)| Step::Receipt { zone, units }),
        3 => (0..ZONES, 0..DEVICES).prop_map(|(zone, device)| Step::Scan { zone, device }),
        2 => (0..DEVICES, any::<bool>()).prop_map(|(device, reversed)| Step::Send { device, reversed }),
        1 => Just(Step::Corrected),
    ];
    prop::collection::vec(step, 0..60)
}

const ZONES: usize = 3;
const DEVICES: usize = 2;
/// By how much each device's clock is wrong.
const SKEWS_MS: [i64; DEVICES] = [-7_000_000, 90_000];

#[derive(Debug, Clone, Copy)]
struct Scan {
    device: usize,
    sequence: usize,
    units: i64,
    /// By the device's clock.
    at_ms: i64,
}

/// One SKU in a shop: what really lies there, and what the ledger and the count know.
struct Shop {
    shelves: [i64; ZONES],
    on_hand: i64,
    /// When, how many, and whether goods moved.
    movements: Vec<(i64, i64, bool)>,
    now_ms: i64,
    count: Count,
    /// Zones that were counted in this round, each once.
    scanned: [bool; ZONES],
    held: Vec<Scan>,
    sequences: usize,
    received: BTreeMap<(usize, usize), (i64, i64, i64)>,
}

impl Shop {
    fn new(shelves: [i64; ZONES], on_hand: i64) -> Self {
        Self {
            shelves,
            on_hand,
            movements: Vec::new(),
            now_ms: 0,
            count: Count {
                zones: Vec::new(),
                skus: None,
                recounted: BTreeMap::new(),
                reviewed_at_ms: None,
            },
            scanned: [false; ZONES],
            held: Vec::new(),
            sequences: 0,
            received: BTreeMap::new(),
        }
    }

    fn run(&mut self, step: Step) {
        self.now_ms += 1_000;
        match step {
            Step::Sale { zone } if self.shelves[zone] > 0 && self.on_hand > 0 => {
                self.move_goods(zone, -1);
            }
            Step::Sale { .. } => {}
            Step::Receipt { zone, units } => self.move_goods(zone, units),
            Step::Scan { zone, device } if !self.scanned[zone] => self.scan(zone, device),
            Step::Scan { .. } => {}
            Step::Send { device, reversed } => self.send(device, reversed),
            Step::Corrected => self.correct(self.shelf() - self.on_hand),
        }
    }

    fn shelf(&self) -> i64 {
        self.shelves.iter().sum()
    }

    fn move_goods(&mut self, zone: usize, units: i64) {
        self.shelves[zone] += units;
        self.on_hand += units;
        self.movements.push((self.now_ms, units, true));
    }

    fn correct(&mut self, units: i64) {
        self.on_hand += units;
        self.movements.push((self.now_ms, units, false));
    }

    fn scan(&mut self, zone: usize, device: usize) {
        self.scanned[zone] = true;
        self.sequences += 1;
        self.held.push(Scan {
            device,
            sequence: self.sequences,
            units: self.shelves[zone],
            at_ms: self.now_ms + SKEWS_MS[device],
        });
    }

    /// Everything that the device ever scanned, also what it sent before.
    fn send(&mut self, device: usize, reversed: bool) {
        let clocks = Clocks {
            device_now_ms: self.now_ms + SKEWS_MS[device],
            now_ms: self.now_ms,
            opened_at_ms: 0,
        };
        let mut scans: Vec<Scan> = self
            .held
            .iter()
            .filter(|scan| scan.device == device)
            .copied()
            .collect();
        if reversed {
            scans.reverse();
        }
        for scan in scans {
            let at_ms = clocks
                .corrected(scan.at_ms)
                .expect("taken during the count");
            let round = self.count.round_of("A", at_ms);
            self.received
                .entry((device, scan.sequence))
                .or_insert((round, at_ms, scan.units));
        }
    }

    /// What the store reads from its tables.
    fn tally(&self) -> Tally {
        let round = self
            .count
            .recounted
            .get("A")
            .map_or(1, |recount| recount.round);
        let scans: Vec<_> = self
            .received
            .values()
            .filter(|(of, ..)| *of == round)
            .collect();
        let first_ms = scans.iter().map(|(_, at_ms, _)| *at_ms).min().unwrap_or(0);
        let last_ms = scans.iter().map(|(_, at_ms, _)| *at_ms).max().unwrap_or(0);
        let goods = || self.movements.iter().filter(|(_, _, goods)| *goods);
        Tally {
            sku: "A".into(),
            scanned: scans.iter().map(|(_, _, units)| units).sum(),
            scans: scans.len() as i64,
            on_hand: self.on_hand,
            reserved: 0,
            moved_after: goods()
                .filter(|(at_ms, ..)| *at_ms > last_ms)
                .map(|(_, units, _)| units)
                .sum(),
            moved_within: goods()
                .filter(|(at_ms, ..)| (first_ms + 1..=last_ms).contains(at_ms))
                .count() as i64,
            recounted: round > 1,
        }
    }

    fn finish_the_round(&mut self) {
        for zone in 0..ZONES {
            self.run(Step::Scan {
                zone,
                device: zone % DEVICES,
            });
        }
        for device in 0..DEVICES {
            self.run(Step::Send {
                device,
                reversed: true,
            });
        }
    }

    fn ask_again(&mut self, round: i64) {
        self.now_ms += 1_000;
        self.count.recounted.insert(
            "A".into(),
            Recount {
                round,
                from_ms: self.now_ms,
            },
        );
        self.scanned = [false; ZONES];
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever is sold, delivered, scanned twice, sent late or corrected by others, and
    /// however wrong the balance was before: afterwards it is what lies on the shelves.
    #[test]
    fn an_approved_count_is_the_shelf(
        shelves in prop::array::uniform3(0..20i64),
        error in -10..10i64,
        rounds in prop::collection::vec(steps(), 1..4),
        before_approval in steps(),
    ) {
        let mut shop = Shop::new(shelves, (shelves.iter().sum::<i64>() + error).max(0));
        let mut round = 1;
        for steps in rounds {
            for step in steps {
                shop.run(step);
            }
            shop.finish_the_round();
            if shop.tally().doubt().is_none() {
                break;
            }
            round += 1;
            shop.ask_again(round);
        }
        // At the latest a round in which nothing moves settles it.
        shop.finish_the_round();
        let reviewed = shop.tally();
        prop_assert_eq!(reviewed.doubt(), None);
        for step in before_approval {
            shop.run(step);
        }
        let tally = shop.tally();
        let corrected_by_others = shop.movements.iter().any(|(at_ms, _, goods)| !goods && *at_ms > 0);
        if !corrected_by_others {
            prop_assert_eq!(tally.variance(), reviewed.variance(), "a sale after the review changes nothing");
        }
        let settlement = Settlement::new(vec![tally], false);
        prop_assert_eq!(&settlement.conflicts, &[]);
        shop.correct(settlement.deltas.iter().map(|delta| delta.units).sum());
        prop_assert_eq!(shop.on_hand, shop.shelf());
    }
}
