//! `GET /pos/arrivals/stream`: the board as it changes, as server-sent events.

use aisle_http::watch::{self, Look};
use aisle_http::{Call, Error, Event, Reply};
use aisle_store::{Db, sha256_hex};

use crate::arrivals::{View, Viewer};

/// `GET /pos/arrivals/stream`
pub async fn open(call: &Call) -> Result<Reply, Error> {
    let viewer = Viewer::of(call).await?;
    let view = viewer.look(call.db()).await?;
    let view = view.ok_or_else(|| Error::unauthorized("this session is over"))?;
    // The board that the client has.
    let mut shown = call.header("last-event-id").unwrap_or_default().to_owned();
    let first = seen(&view, &mut shown);
    Ok(watch::stream("pos", first, async move |db: &Db| {
        let view = viewer.look(db).await?;
        Ok(view.map(|view| seen(&view, &mut shown)))
    }))
}

fn seen(view: &View, shown: &mut String) -> Look {
    let data = serde_json::to_string(&view.board).unwrap_or_default();
    let id: String = sha256_hex(data.as_bytes()).chars().take(16).collect();
    let news = (id != *shown).then(|| Event::Message {
        name: "board",
        id: id.clone(),
        data,
    });
    *shown = id;
    Look {
        now_ms: view.now_ms,
        news,
    }
}
