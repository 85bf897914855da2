//! Five devices change one cart over a network that loses, delays, repeats and reorders what
//! they send and what they are answered. In the end all of them have the same cart, and
//! nothing that a device was told to have changed is lost without a word.

use std::collections::{BTreeMap, BTreeSet};

use super::super::merge::members;
use super::*;

const RUNS: u64 = 1_000;
const DEVICES: usize = 5;
const STEPS: usize = 400;

#[test]
fn five_devices_end_at_the_same_cart() {
    let mut seen = Seen::default();
    for seed in 0..RUNS {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.heal();
        world.check(seed);
        seen.add(&world);
    }
    // A simulation in which nothing goes wrong shows nothing.
    assert!(
        seen.merges > RUNS && seen.overridden > RUNS && seen.repeated > RUNS && seen.stale > 20,
        "{seen:?}"
    );
}

/// What the runs went through.
#[derive(Debug, Default)]
struct Seen {
    merges: u64,
    overridden: u64,
    repeated: u64,
    stale: u64,
}

impl Seen {
    fn add(&mut self, world: &World) {
        self.merges += world.server.merges;
        self.repeated += world.server.repeated;
        self.stale += world.server.stale;
        let notes = world.server.notes.values().flatten();
        self.overridden += notes
            .filter(|note| note.notice.code == "overridden")
            .count() as u64;
    }
}

/// Numbers that a seed decides (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
}

/// Something that a shopper does.
#[derive(Debug, Clone)]
enum Edit {
    Add {
        id: String,
        sku: usize,
        quantity: i64,
    },
    Remove {
        line: usize,
    },
    Quantity {
        line: usize,
        quantity: i64,
    },
    Exchange {
        line: usize,
        sku: usize,
    },
    Email {
        number: usize,
    },
    Store {
        number: Option<usize>,
    },
}

impl Edit {
    fn any(dice: &mut Dice, device: usize, number: u64) -> Self {
        let (line, sku) = (dice.below(6), dice.below(SKUS.len()));
        let quantity = 1 + dice.below(9) as i64;
        match dice.below(10) {
            0..=2 => {
                let id = if dice.percent(70) {
                    format!("d{device}-{number}")
                } else {
                    String::new()
                };
                Self::Add { id, sku, quantity }
            }
            3..=4 => Self::Remove { line },
            5..=7 => Self::Quantity { line, quantity },
            8 => Self::Exchange { line, sku },
            _ if dice.percent(50) => Self::Email {
                number: dice.below(4),
            },
            _ => Self::Store {
                number: dice.percent(80).then(|| dice.below(3)),
            },
        }
    }

    fn made_in(&self, cart: &Cart) -> CartRequest {
        let mut request = CartRequest {
            lines: cart.lines.iter().map(Line::request).collect(),
            buyer: cart.buyer.clone(),
            context: cart.context.clone(),
        };
        let place = |line: &usize| line % cart.lines.len().max(1);
        match self {
            Self::Add { id, sku, quantity } => {
                let added = super::request(&[(id.as_str(), SKUS[*sku], *quantity)]);
                request.lines.extend(added.lines);
            }
            Self::Remove { line } if place(line) < request.lines.len() => {
                request.lines.remove(place(line));
            }
            Self::Quantity { line, quantity } => {
                if let Some(line) = request.lines.get_mut(place(line)) {
                    line.quantity = *quantity;
                }
            }
            Self::Exchange { line, sku } => {
                if let Some(line) = request.lines.get_mut(place(line)) {
                    line.item = format!("id-{}", SKUS[*sku]);
                }
            }
            Self::Email { number } => request.buyer.email = Some(format!("{number}@example.com")),
            Self::Store { number } => {
                request.context.location = number.map(|number| format!("store-{number}"));
            }
            Self::Remove { .. } => {}
        }
        request
    }
}

/// `PUT` with `If-Match` and `Idempotency-Key`.
#[derive(Debug, Clone)]
struct Put {
    key: u64,
    basis: i64,
    request: CartRequest,
}

#[derive(Debug, Clone)]
enum Letter {
    Put(Put),
    Get,
    /// What the `PUT` with this key was answered; `None`: 412.
    Done(u64, Option<Version>),
    Shown(Version),
}

/// The server as the functions have it, and all that it ever knew, for the judgement.
struct Server {
    versions: Vec<Version>,
    answers: BTreeMap<u64, Option<Version>>,
    /// By version.
    notes: BTreeMap<i64, Vec<Note>>,
    merges: u64,
    repeated: u64,
    stale: u64,
}

impl Server {
    fn current(&self) -> &Version {
        self.versions.last().unwrap()
    }

    fn put(&mut self, put: &Put, device: usize) -> Option<Version> {
        if let Some(answer) = self.answers.get(&put.key) {
            self.repeated += 1;
            return answer.clone();
        }
        let answer = self.change(put, device);
        self.answers.insert(put.key, answer.clone());
        self.stale += u64::from(answer.is_none());
        answer
    }

    fn change(&mut self, put: &Put, device: usize) -> Option<Version> {
        let (current, earlier) = self.versions.split_last().unwrap();
        let kept = earlier.len().saturating_sub(KEPT_VERSIONS as usize);
        let basis = Basis::Known(vec![put.basis]);
        let by = format!("device {device}");
        let merged = change(
            current,
            &earlier[kept..],
            &basis,
            put.request.clone(),
            Some(&by),
        );
        let merged = merged.ok()?;
        let number = current.number + 1;
        let trail = current
            .cart
            .trail
            .next(number, Some(&by), merged.notes.clone());
        let cart = filled(merged.request, 1_000).unwrap().on(trail);
        judge(&self.versions, put, &cart, &merged.notes);
        self.merges += u64::from(current.number != put.basis);
        self.notes.insert(number, merged.notes);
        self.versions.push(Version { number, cart });
        self.versions.last().cloned()
    }
}

/// Every fact of a cart, each for itself.
fn facts(cart: &Cart) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    for line in &cart.lines {
        facts.insert(format!("{}/item", line.id), line.variant_id.clone());
        facts.insert(format!("{}/quantity", line.id), line.quantity.to_string());
    }
    let members = members(&cart.buyer, &cart.context);
    for (number, value) in members.into_iter().enumerate() {
        facts.extend(value.map(|value| (number.to_string(), value)));
    }
    facts
}

/// Judges a change by what was wanted, without knowing how it is made: what the device changed
/// is in the result; what others had changed is in it too, or it is named; and nothing else
/// has changed.
fn judge(versions: &[Version], put: &Put, after: &Cart, notes: &[Note]) {
    let base = versions.iter().find(|version| version.number == put.basis);
    let base = facts(&base.unwrap().cart);
    let theirs = facts(&versions.last().unwrap().cart);
    // Lines without an id are judged by their pieces.
    let (named, nameless): (Vec<_>, Vec<_>) = put
        .request
        .lines
        .iter()
        .cloned()
        .partition(|line| line.id.is_some());
    let mine = CartRequest {
        lines: named,
        ..put.request.clone()
    };
    let mine = facts(&filled(mine, 1_000).unwrap());
    for line in &nameless {
        let has = |known: &Line| known.sku == line.item && known.quantity >= line.quantity;
        assert!(after.lines.iter().any(has), "{line:?} is not in {after:?}");
    }
    let result = facts(after);
    let keys: BTreeSet<&String> = base
        .keys()
        .chain(mine.keys())
        .chain(theirs.keys())
        .collect();
    for key in keys {
        let [base, mine, theirs, result] =
            [&base, &mine, &theirs, &result].map(|facts| facts.get(key));
        let told = notes.iter().any(|note| match &note.line_id {
            Some(id) => key.starts_with(&format!("{id}/")),
            None => !key.contains('/'),
        });
        let added = |note: &&Note| note.notice.code == "quantities_added";
        if mine != base {
            let summed = notes.iter().any(|note| added(&note) && told);
            assert!(
                result == mine || summed,
                "{key}: {mine:?} became {result:?}"
            );
        }
        if theirs != base {
            assert!(
                result == theirs || told,
                "{key}: {theirs:?} became {result:?}, unsaid"
            );
        }
        if mine == base && theirs == base {
            assert_eq!(result, base, "{key}");
        }
    }
}

struct Device {
    known: Version,
    /// Sent and not answered.
    pending: Option<(Put, Edit)>,
    /// Was told to look first.
    again: Option<Edit>,
    /// Keys of the changes that it was told are made.
    acknowledged: BTreeSet<u64>,
}

impl Device {
    fn take(&mut self, version: Version, server: &Server) {
        if version.number <= self.known.number {
            return;
        }
        // It gets to see what was said since it looked, unless it was away for too long.
        let unseen = self.known.number.max(version.number - KEPT_VERSIONS) + 1..=version.number;
        for note in server.notes.range(unseen).flat_map(|(_, notes)| notes) {
            assert!(
                version.cart.trail.notes.contains(note),
                "{note:?} is unseen"
            );
        }
        self.known = version;
    }
}

struct World {
    dice: Dice,
    server: Server,
    devices: Vec<Device>,
    /// On the way, each from or to a device.
    letters: Vec<(usize, Letter)>,
    next_key: u64,
    broken: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let start = Version {
            number: 1,
            cart: cart(request(&[("li_1", "mug", 1), ("li_2", "tee", 2)]), "shop"),
        };
        let device = |_| Device {
            known: start.clone(),
            pending: None,
            again: None,
            acknowledged: BTreeSet::new(),
        };
        Self {
            dice: Dice(seed),
            devices: (0..DEVICES).map(device).collect(),
            server: Server {
                versions: vec![start],
                answers: BTreeMap::new(),
                notes: BTreeMap::new(),
                merges: 0,
                repeated: 0,
                stale: 0,
            },
            letters: Vec::new(),
            next_key: 0,
            broken: true,
        }
    }

    fn step(&mut self) {
        // The last device is away for most of the time.
        let device = match self.dice.percent(5) {
            true => DEVICES - 1,
            false => self.dice.below(DEVICES - 1),
        };
        match self.dice.below(100) {
            0..40 => self.edit(device),
            40..48 => self.send(device, Letter::Get),
            _ => self.deliver(),
        }
    }

    /// A new change; where one is on the way still, that is sent again.
    fn edit(&mut self, number: usize) {
        let device = &mut self.devices[number];
        if let Some((put, _)) = &device.pending {
            let again = Letter::Put(put.clone());
            return self.send(number, again);
        }
        let edit = match device.again.take() {
            Some(edit) => edit,
            None => Edit::any(&mut self.dice, number, self.next_key),
        };
        let put = Put {
            key: self.next_key,
            basis: device.known.number,
            request: edit.made_in(&device.known.cart),
        };
        self.next_key += 1;
        device.pending = Some((put.clone(), edit));
        self.send(number, Letter::Put(put));
    }

    fn send(&mut self, device: usize, letter: Letter) {
        if self.broken && self.dice.percent(20) {
            return;
        }
        if self.broken && self.dice.percent(15) {
            self.letters.push((device, letter.clone()));
        }
        self.letters.push((device, letter));
    }

    /// Any of the letters comes next.
    fn deliver(&mut self) {
        if self.letters.is_empty() {
            return;
        }
        let next = self.dice.below(self.letters.len());
        let (number, letter) = self.letters.swap_remove(next);
        match letter {
            Letter::Put(put) => {
                let answer = self.server.put(&put, number);
                self.send(number, Letter::Done(put.key, answer));
            }
            Letter::Get => {
                let shown = self.server.current().clone();
                self.send(number, Letter::Shown(shown));
            }
            Letter::Shown(version) => self.devices[number].take(version, &self.server),
            Letter::Done(key, answer) => self.answered(number, key, answer),
        }
    }

    fn answered(&mut self, number: usize, key: u64, answer: Option<Version>) {
        let device = &mut self.devices[number];
        let waiting = |(put, _): &mut (Put, Edit)| put.key == key;
        let edit = device.pending.take_if(waiting).map(|(_, edit)| edit);
        match answer {
            Some(version) => {
                device.acknowledged.insert(key);
                device.take(version, &self.server);
            }
            None if edit.is_some() => {
                device.again = edit;
                self.send(number, Letter::Get);
            }
            None => {}
        }
    }

    /// The network works again: whatever is open comes to its end.
    fn heal(&mut self) {
        self.broken = false;
        for _ in 0..1_000 {
            while !self.letters.is_empty() {
                self.deliver();
            }
            let open = |device: &Device| device.pending.is_some() || device.again.is_some();
            let Some(number) = self.devices.iter().position(open) else {
                break;
            };
            self.send(number, Letter::Get);
            self.deliver();
            self.edit(number);
        }
        for number in 0..DEVICES {
            self.send(number, Letter::Get);
        }
        while !self.letters.is_empty() {
            self.deliver();
        }
    }

    fn check(&self, seed: u64) {
        for (number, device) in self.devices.iter().enumerate() {
            let last = self.server.current();
            assert_eq!(&device.known, last, "device {number} of run {seed}");
            assert!(device.pending.is_none() && device.again.is_none());
            for key in &device.acknowledged {
                let made = self.server.answers.get(key);
                assert!(
                    matches!(made, Some(Some(_))),
                    "{key} of run {seed} was not made"
                );
            }
        }
    }
}
