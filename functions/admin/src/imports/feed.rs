//! From the body's bytes to items, and in batches of bounded size into their target.

use aisle_domain::import::{Format, Header, Kind, Lacking, Report, Table};
use aisle_http::{BodyStream, Error};
use aisle_store::{BatchError, Dialect, StoreError};
use aisle_ucp::admin::Tally;

/// Where a file's items go.
pub trait Target {
    type Item;

    /// When the items' weights add up to this, they are written, where others can write
    /// meanwhile.
    const BATCH_WEIGHT: usize;

    fn weight(item: &Self::Item) -> usize;

    /// Writes the items. What cannot be written is refused in the report; an error means
    /// that nothing more can be.
    async fn write(&mut self, items: Vec<Self::Item>, report: &mut Report) -> Result<(), Error>;

    /// What was written so far.
    fn tally(&self) -> Tally;
}

/// On SQLite nobody else writes while a batch is being written, statement by statement: so
/// many times smaller it is there, for others' turns to come soon.
const SMALLER_ON_SQLITE: usize = 10;

/// Reads the file to its end. 422 when it has no header or one that lacks columns.
pub async fn feed<F: Format, T: Target<Item = F::Item>>(
    mut body: BodyStream,
    dialect: Dialect,
    mut table: Table,
    open: impl Fn(&Header) -> Result<F, Lacking>,
    target: T,
) -> Result<(Report, Tally), Error> {
    let mut format: Option<F> = None;
    let mut funnel = Funnel {
        target,
        report: Report::default(),
        pending: Vec::new(),
        weight: 0,
        full_weight: dialect.pick(T::BATCH_WEIGHT / SMALLER_ON_SQLITE, T::BATCH_WEIGHT),
    };
    loop {
        let chunk = body.next().await?;
        match &chunk {
            Some(bytes) => table.feed(bytes),
            None => table.finish(),
        }
        while let Some(row) = table.next_row() {
            let format = opened(&mut format, &table, &open, &mut funnel.report)?;
            match row {
                Ok(row) => {
                    let mut item = format.row(row, &mut funnel.report);
                    while item.is_some() {
                        funnel.take(item).await?;
                        item = format.more();
                    }
                }
                Err(finding) => {
                    funnel.report.rows += 1;
                    funnel.report.refuse(finding);
                }
            }
        }
        if let Some(fault) = table.header_fault() {
            let detail = format!(
                "the first row, which names the columns, cannot be read: {}",
                fault.reason
            );
            return Err(Error::unprocessable("unreadable_header", "body", &detail));
        }
        if chunk.is_none() {
            let format = opened(&mut format, &table, &open, &mut funnel.report)?;
            while let Some(item) = format.finish(&mut funnel.report) {
                funnel.take(Some(item)).await?;
            }
            table
                .warnings()
                .into_iter()
                .for_each(|warning| funnel.report.warn(warning));
            return funnel.finish().await;
        }
    }
}

/// The file's format, known as soon as its header was read.
fn opened<'a, F: Format>(
    format: &'a mut Option<F>,
    table: &Table,
    open: impl Fn(&Header) -> Result<F, Lacking>,
    report: &mut Report,
) -> Result<&'a mut F, Error> {
    match format {
        Some(format) => Ok(format),
        None => {
            let header = table
                .header()
                .ok_or_else(|| Error::unprocessable("empty_file", "body", "the file has no row"))?;
            let opened = open(header).map_err(|lacking| refuse_header(header, lacking))?;
            opened
                .warnings()
                .into_iter()
                .for_each(|warning| report.warn(warning));
            Ok(format.insert(opened))
        }
    }
}

fn refuse_header(header: &Header, lacking: Lacking) -> Error {
    let mut detail = lacking.to_string();
    if header.len() == 1 {
        detail += "; it has one column: fields are separated by commas, semicolons, tabs or bars";
    } else if let Some(kind) = Kind::of(header) {
        detail += &format!("; it looks like a file of {kind}");
    }
    Error::unprocessable("missing_columns", "body", &detail).with("columns", lacking.columns)
}

/// Collects items until they make a batch.
struct Funnel<T: Target> {
    target: T,
    report: Report,
    pending: Vec<T::Item>,
    weight: usize,
    full_weight: usize,
}

impl<T: Target> Funnel<T> {
    async fn take(&mut self, item: Option<T::Item>) -> Result<(), Error> {
        let Some(item) = item else { return Ok(()) };
        self.weight += T::weight(&item);
        self.pending.push(item);
        if self.weight >= self.full_weight {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Error> {
        self.weight = 0;
        self.target
            .write(std::mem::take(&mut self.pending), &mut self.report)
            .await
    }

    async fn finish(mut self) -> Result<(Report, Tally), Error> {
        if !self.pending.is_empty() {
            self.flush().await?;
        }
        Ok((self.report, self.target.tally()))
    }
}

/// Why a change that looked right was refused by the database.
pub const NOT_SAVED: &str =
    "it, or what it refers to, was changed at the same moment; import it again";

/// Commits the changes as one batch or, when the database refuses that, one by one, so
/// that a change which cannot be made does not keep the others out. Tells which were made.
pub async fn save<C>(
    changes: &[C],
    commit: impl AsyncFn(&[C]) -> Result<(), BatchError>,
) -> Result<Vec<bool>, Error> {
    if changes.is_empty() || attempt(&commit, changes).await? {
        return Ok(vec![true; changes.len()]);
    }
    let mut saved = Vec::with_capacity(changes.len());
    for change in changes.chunks(1) {
        saved.push(changes.len() > 1 && attempt(&commit, change).await?);
    }
    Ok(saved)
}

async fn attempt<C>(
    commit: impl AsyncFn(&[C]) -> Result<(), BatchError>,
    changes: &[C],
) -> Result<bool, Error> {
    match commit(changes).await {
        Ok(()) => Ok(true),
        Err(BatchError::Store(
            error @ (StoreError::Unavailable(_)
            | StoreError::Busy(_)
            | StoreError::SchemaMismatch { .. }),
        )) => Err(error.into()),
        Err(error) => {
            eprintln!(
                "admin: {} changes of an import were refused together: {error}",
                changes.len()
            );
            Ok(false)
        }
    }
}
