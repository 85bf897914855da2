//! The database of one request: which one, its connection, and reads.

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

use futures::lock::Mutex;
use spin_sdk::variables;

use crate::{
    Batch, BatchError, Dialect, Row, SCHEMA_VERSION, Sql, StoreError, Value, deadline,
    error::Failure,
    heavy::{self, Heavy},
    postgres,
    sql::{self, Form},
    sqlite,
};

/// The longest pause between two attempts, but for chance.
const MAX_PAUSE_MS: u64 = 256;

thread_local! {
    /// What this instance learned once and need not ask again for each request.
    static KNOWN: RefCell<Known> = const {
        RefCell::new(Known { url: None, heavy_places: None, schema_seen: false })
    };
}

struct Known {
    url: Option<Rc<str>>,
    heavy_places: Option<i64>,
    schema_seen: bool,
}

/// One request's way to the database: at most one connection, opened by the first
/// statement, on which statements go one after the other.
pub struct Db {
    url: Rc<str>,
    connection: Mutex<Option<Connection>>,
    heavy: Heavy,
}

pub(crate) enum Connection {
    Sqlite(sqlite::Connection),
    Postgres(postgres::Connection),
}

impl Db {
    /// The database that the variable `database_url` names, or the runtime's SQLite when
    /// it is empty. Makes no call to the database yet.
    pub async fn open() -> Result<Self, StoreError> {
        Ok(Self {
            url: database_url().await?,
            connection: Mutex::new(None),
            heavy: Heavy::default(),
        })
    }

    /// Says that what comes now is heavy work of this `kind` (a word, for instance `search`):
    /// each call takes one of the few places that all such work has. The first call finds one
    /// or fails as [`StoreError::Busy`]; the later ones wait for one.
    pub async fn begin_heavy(&self, kind: &'static str) {
        self.heavy.begin(kind, heavy_places().await);
    }

    /// [`query`](Self::query) as the one heavy call of a request.
    pub async fn query_heavy(
        &self,
        kind: &'static str,
        sql: impl Into<Sql>,
        params: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        self.begin_heavy(kind).await;
        let rows = self.query(sql, params).await;
        self.heavy.end();
        rows
    }

    pub(crate) fn heavy(&self) -> &Heavy {
        &self.heavy
    }

    pub fn dialect(&self) -> Dialect {
        if self.url.is_empty() {
            Dialect::Sqlite
        } else {
            Dialect::Postgres
        }
    }

    /// Runs one statement and returns all its rows: one call. `?1` and `{now}` work on
    /// both databases. Not for changes; those are a [`Batch`](crate::Batch). What is asked
    /// again and again is [`recall`](Self::recall).
    pub async fn query(
        &self,
        sql: impl Into<Sql>,
        params: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        let sql = sql.into();
        let form = self.dialect().pick(Form::Sqlite, Form::PostgresQuery);
        let text = sql::translate(sql.text(self.dialect()), &params, form)?;
        let mut tries = Tries::new(self);
        loop {
            match self
                .with_connection(async |connection| {
                    let text = match connection {
                        Connection::Sqlite(_) => self.heavy.sqlite(text.clone()),
                        Connection::Postgres(_) => self.heavy.postgres(text.clone()),
                    };
                    connection.query(&text, &params).await
                })
                .await
            {
                Err(failure) => tries.again(failure).await?,
                Ok(rows) => {
                    self.heavy.done(false);
                    return Ok(rows);
                }
            }
        }
    }

    /// The same for a statement of many parts, whose text is always the same and whose rows are
    /// few: PostgreSQL keeps its plan, which costs more to make than to follow.
    pub async fn recall(
        &self,
        sql: impl Into<Sql>,
        params: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        if self.dialect() == Dialect::Sqlite {
            return self.query(sql, params).await;
        }
        let mut batch = Batch::new();
        batch.rows(sql, params);
        let results = batch.commit(self).await?;
        Ok(results
            .into_iter()
            .next()
            .map_or_else(Vec::new, |one| one.rows))
    }

    /// The first row of [`query`](Self::query), if there is one.
    pub async fn query_one_opt(
        &self,
        sql: impl Into<Sql>,
        params: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// Runs `work` on the request's connection within the deadline. A connection that
    /// failed is dropped, so that the next statement opens a fresh one.
    pub(crate) async fn with_connection<T>(
        &self,
        work: impl AsyncFnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut slot = self.connection.lock().await;
        let attempt = async {
            let connection = match slot.take() {
                Some(connection) => connection,
                None => self.connect().await?,
            };
            let answer = work(&connection).await;
            if !matches!(
                answer,
                Err(Failure::Unavailable(_) | Failure::Contended(_) | Failure::Busy(_))
            ) {
                *slot = Some(connection);
            }
            answer
        };
        let answer = deadline::within(deadline::CALL, attempt).await;
        answer.unwrap_or_else(|| Err(Failure::Unavailable("no answer within the deadline".into())))
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let connection = match self.dialect() {
            Dialect::Sqlite => Connection::Sqlite(sqlite::Connection::open().await?),
            Dialect::Postgres => Connection::Postgres(postgres::Connection::open(&self.url).await?),
        };
        if !KNOWN.with_borrow(|known| known.schema_seen) {
            check_schema(&connection).await?;
        }
        Ok(connection)
    }
}

/// A connection of SQLite stays with the instance; one of PostgreSQL goes back to its pool,
/// where others wait for it.
impl Drop for Db {
    fn drop(&mut self) {
        if let Some(Connection::Sqlite(connection)) = self.connection.get_mut().take() {
            connection.keep();
        }
    }
}

impl Connection {
    pub(crate) async fn query(&self, text: &str, params: &[Value]) -> Result<Vec<Row>, Failure> {
        match self {
            Self::Sqlite(connection) => connection.query(text, params).await,
            Self::Postgres(connection) => connection.query(text, params).await,
        }
    }
}

/// Once per instance, not per request: a schema does not change under a running one
/// without the deployment that replaces it.
async fn check_schema(connection: &Connection) -> Result<(), Failure> {
    let rows = connection
        .query(
            "SELECT coalesce(max(version), 0) AS version FROM schema_version",
            &[],
        )
        .await;
    let found = match rows {
        Ok(rows) => rows
            .first()
            .map_or(Ok(0), |row| row.int("version"))
            .map_err(|error| Failure::Bug(error.to_string()))?,
        Err(Failure::NoTable(_)) => 0,
        Err(failure) => return Err(failure),
    };
    if found != SCHEMA_VERSION {
        return Err(Failure::SchemaMismatch { found });
    }
    KNOWN.with_borrow_mut(|known| known.schema_seen = true);
    Ok(())
}

async fn database_url() -> Result<Rc<str>, StoreError> {
    if let Some(url) = KNOWN.with_borrow(|known| known.url.clone()) {
        return Ok(url);
    }
    let url: Rc<str> = match variables::get("database_url").await {
        Ok(url) => postgres::with_deadline(url.trim()).into(),
        Err(error) => {
            return Err(StoreError::Unavailable(format!(
                "variable database_url: {error}"
            )));
        }
    };
    KNOWN.with_borrow_mut(|known| known.url = Some(url.clone()));
    Ok(url)
}

async fn heavy_places() -> i64 {
    if let Some(places) = KNOWN.with_borrow(|known| known.heavy_places) {
        return places;
    }
    let given = variables::get("heavy_places").await.ok();
    let given = given.and_then(|given| given.trim().parse().ok());
    let places = given.filter(|places| *places > 0).unwrap_or(heavy::PLACES);
    KNOWN.with_borrow_mut(|known| known.heavy_places = Some(places));
    places
}

/// A bounded number of attempts at work that others stood in the way of.
pub(crate) struct Tries {
    /// Of a heavy request that has begun, which is not to be given up half-way.
    patient: bool,
    /// Whether the runtime has waited for a place already.
    waited: bool,
    left: u32,
    pause_ms: u64,
    began: Instant,
}

impl Tries {
    pub(crate) fn new(db: &Db) -> Self {
        Self {
            patient: db.heavy.is_admitted(),
            waited: db.dialect() == Dialect::Sqlite,
            left: 6,
            pause_ms: 4,
            began: Instant::now(),
        }
    }

    /// Waits a little, longer each time and never as long as somebody else who collided at
    /// the same moment. Gives up what no other attempt cures, when no attempt is left, and
    /// when those that failed took as long as any call may.
    pub(crate) async fn again(&mut self, failure: Failure) -> Result<(), BatchError> {
        let goes_on = match &failure {
            Failure::Contended(_) => true,
            Failure::Busy(_) => self.patient || !self.waited,
            _ => false,
        };
        let unbounded = self.patient && matches!(failure, Failure::Busy(_));
        self.left = self.left.saturating_sub(u32::from(!unbounded));
        if !goes_on || self.left == 0 || self.began.elapsed() > deadline::CALL {
            return Err(failure.into());
        }
        let [chance, ..] = crate::random();
        self.pause_ms = (self.pause_ms * 2).min(MAX_PAUSE_MS);
        let pause_ms = self.pause_ms + self.pause_ms * u64::from(chance) / 256;
        spin_sdk::time::sleep(Duration::from_millis(pause_ms)).await;
        Ok(())
    }
}
