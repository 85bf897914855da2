//! What is loaded: a system of one's own on either pair of stores, or one that runs already.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use aisle_e2e::environment::NORTH;
use aisle_e2e::servers::servers;
use aisle_e2e::{Environment, Pair, Setup};
use anyhow::{Context, Result, ensure};

use crate::http::Http;
use crate::progress;
use crate::world::{ARTICLES, World};

/// The demo brand that is loaded.
pub const BRAND: &str = "north";
/// Units of each article at each place: no run sells that many.
const PLENTY: u32 = 1_000_000;

/// Words of the articles' titles. Some are in many titles and some in few, as in a shop.
const KINDS: [&str; 8] = [
    "Jacket", "Trousers", "Boots", "Backpack", "Bottle", "Tent", "Lamp", "Hat",
];
const SORTS: [&str; 9] = [
    "Trail", "Alpine", "Harbour", "Winter", "Light", "Storm", "City", "Canvas", "Merino",
];
const COLOURS: [&str; 7] = ["Spruce", "Basalt", "Sand", "Ochre", "Slate", "Rust", "Sky"];

/// A system and what its clients know of it.
pub struct System {
    pub name: String,
    pub world: Arc<World>,
    /// Unless somebody else runs it.
    pub environment: Option<Environment>,
}

pub fn name(pair: Pair) -> &'static str {
    match pair {
        Pair::Embedded => "SQLite, embedded store",
        Pair::Servers => "PostgreSQL, Redis",
    }
}

/// The pairs that this machine can run of those that are wanted; says which it cannot.
pub fn available(wanted: &[Pair]) -> Vec<Pair> {
    let there = |pair: &&Pair| match (pair, servers()) {
        (Pair::Servers, Err(reason)) => {
            eprintln!("without PostgreSQL and Redis: {reason}");
            false
        }
        _ => true,
    };
    wanted.iter().filter(there).copied().collect()
}

impl System {
    /// The demo retailer and [`ARTICLES`] articles more, of which every place has plenty.
    pub async fn start(pair: Pair) -> Result<Self> {
        Self::start_as(pair, Setup::demo(pair)).await
    }

    /// The same, with servers that are reached over lines that can be lengthened and count.
    pub async fn start_through_lines() -> Result<Self> {
        let pair = Pair::Servers;
        Self::start_as(pair, Setup::demo(pair).through_lines()).await
    }

    async fn start_as(pair: Pair, setup: Setup) -> Result<Self> {
        let starting = progress::step(&format!("starting an edge on {}", name(pair)));
        let program = std::env::current_exe()?;
        let setup = setup.with_hello().as_process(&program);
        let environment = setup.start().await?;
        stock_up(&environment).await?;
        let http = Http::new(environment.addr(), NORTH);
        let world = World::explore(http, BRAND, Some(&environment.admin_key)).await?;
        starting.finish_and_clear();
        Ok(Self {
            name: name(pair).into(),
            world: Arc::new(world),
            environment: Some(environment),
        })
    }

    /// The one that answers at `url`, with what it sells.
    pub async fn at(url: &str, brand: &str, admin_key: Option<&str>) -> Result<Self> {
        let (host, address) = resolve(url)?;
        let world = World::explore(Http::new(address, &host), brand, admin_key).await?;
        Ok(Self {
            name: url.into(),
            world: Arc::new(world),
            environment: None,
        })
    }

    /// Its environment.
    ///
    /// # Errors
    /// Somebody else runs it.
    pub fn own(&self) -> Result<&Environment> {
        self.environment
            .as_ref()
            .context("this needs a system of its own: leave out --url")
    }

    pub async fn stop(self) {
        if let Some(environment) = self.environment {
            environment.shutdown().await;
        }
    }
}

/// Host and address of `http://HOST:PORT`. A name below `localhost` is this machine.
fn resolve(url: &str) -> Result<(String, SocketAddr)> {
    let wrong = || format!("--url must be like http://north.localhost:3000, not {url}");
    let authority = url
        .strip_prefix("http://")
        .with_context(wrong)?
        .trim_end_matches('/');
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
    let port: u16 = port.parse().with_context(wrong)?;
    let reached = if host.ends_with(".localhost") {
        "127.0.0.1"
    } else {
        host
    };
    let address = (reached, port)
        .to_socket_addrs()
        .with_context(wrong)?
        .next();
    Ok((host.into(), address.with_context(wrong)?))
}

async fn stock_up(environment: &Environment) -> Result<()> {
    let mut products = String::from("Handle,Title,Body (HTML),Type,Variant SKU,Variant Price\n");
    let mut stock = String::from("sku,location_code,on_hand,safety\n");
    let codes = "SELECT l.code FROM location l JOIN brand_location b ON b.location_id = l.id \
         JOIN brand ON brand.id = b.brand_id WHERE brand.handle = 'north' ORDER BY l.code";
    let codes = environment.database.rows(codes).await?;
    for number in 0..ARTICLES {
        let title = title(number);
        let cents = 1_000 + number * 37 % 9_000;
        products += &format!(
            "load-{number},{title},<p>{title} for every day and all weathers.</p>,Outdoor > {},LOAD-{number},{}.{:02}\n",
            KINDS[number % KINDS.len()],
            cents / 100,
            cents % 100
        );
        for code in codes.iter().filter_map(|row| row.first()?.as_deref()) {
            stock += &format!("LOAD-{number},{code},{PLENTY},0\n");
        }
    }
    for (kind, csv) in [("products", products), ("stock", stock)] {
        let path = format!("/admin/imports?kind={kind}&brand={BRAND}");
        let report = environment
            .admin()
            .post(&path)
            .csv(csv)
            .expect(200)
            .await?
            .json();
        ensure!(report["refused"] == 0, "{report:#}");
    }
    environment.drain_outbox().await
}

fn title(number: usize) -> String {
    let pick = |words: &[&'static str], step: usize| words[number / step % words.len()];
    format!(
        "{} {} {} {number}",
        pick(&SORTS, 1),
        pick(&KINDS, 1),
        pick(&COLOURS, 3)
    )
}
