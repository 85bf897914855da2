//! `GET /pos/arrivals/stream`: the board as it changes, as server-sent events.

use aisle_http::watch::{self, Look, Name};
use aisle_http::{Call, Error, Event, Reply};
use aisle_store::{Db, sha256_hex};

use crate::arrivals::{View, Viewer};

/// The screens of one till or handheld.
const OF_DEVICE: u32 = 4;
/// The screens of one store.
const OF_BOARD: u32 = 100;

/// `GET /pos/arrivals/stream`
pub async fn open(call: &Call) -> Result<Reply, Error> {
    let viewer = Viewer::of(call).await?;
    let view = viewer.look(call.db()).await?;
    let view = view.ok_or_else(|| Error::unauthorized("this session is over"))?;
    // The board that the client has.
    let mut shown = call.header("last-event-id").unwrap_or_default().to_owned();
    let first = seen(&view, &mut shown);
    let names = [
        Name::new("device", &viewer.device_id, OF_DEVICE),
        Name::new("board", &viewer.board_id(), OF_BOARD),
    ];
    let look = async move |db: &Db| {
        let view = viewer.look(db).await?;
        Ok(view.map(|view| seen(&view, &mut shown)))
    };
    watch::stream(call, "pos", names, first, look).await
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
