//! Server-sent events (HTML Living Standard, section 9.2), and the body that carries them.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use http_body::{Body, Frame};

/// What a stream of events says next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Nothing, but so that whoever stands between sees that the stream lives.
    Heartbeat,
    /// `data` is one line. A client that comes back says the `id` of the last event it has.
    Message {
        name: &'static str,
        id: String,
        data: String,
    },
}

impl Event {
    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::Heartbeat => Bytes::from_static(b":\n\n"),
            Self::Message { name, id, data } => {
                format!("event: {name}\nid: {id}\ndata: {data}\n\n").into()
            }
        }
    }
}

/// A response's body: all of it at once, or what comes, as it comes.
pub enum ReplyBody {
    Whole(Bytes),
    Stream(Pin<Box<dyn Stream<Item = Bytes>>>),
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => bytes.fmt(out),
            Self::Stream(_) => out.write_str("a stream of events"),
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut *self {
            Self::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then_some(bytes))
            }
            Self::Stream(stream) => stream.as_mut().poll_next(cx),
        };
        next.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_written_as_the_standard_says() {
        let event = Event::Message {
            name: "board",
            id: "a1".into(),
            data: "{}".into(),
        };
        assert_eq!(event.into_bytes(), "event: board\nid: a1\ndata: {}\n\n");
        assert_eq!(Event::Heartbeat.into_bytes(), ":\n\n");
    }
}
