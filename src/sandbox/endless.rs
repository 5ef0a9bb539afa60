//! Bodies without an end, plain, packed or of nothing, for as long as the client listens.

use std::convert::Infallible;
use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use flate2::{Compression, write::DeflateEncoder};
use http_body::Frame;

/// How much of it comes at once, unpacked.
const PIECE: usize = 1 << 20;
/// The header of RFC 1952: deflate, without name and time.
const GZIP: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// A beginning, and then the same piece again and again.
pub(super) struct Endless {
    begun: Option<Bytes>,
    piece: Option<Bytes>,
}

impl Endless {
    /// In place of any body: JSON that only ever begins.
    pub fn flood(_: Body) -> Body {
        Self::of(b"{\"value\": [".to_vec(), Some(blank()))
    }

    /// The same packed with gzip, a thousandth of the size.
    pub fn bomb(_: Body) -> Body {
        let begun = [GZIP, &packed(b"{\"value\": [")].concat();
        Self::of(begun, Some(packed(&blank())))
    }

    /// In place of any body: the first characters of one, and silence.
    pub fn stalled(_: Body) -> Body {
        Self::of(b"{\"value\": [".to_vec(), None)
    }

    fn of(begun: Vec<u8>, piece: Option<Vec<u8>>) -> Body {
        Body::new(Self {
            begun: Some(begun.into()),
            piece: piece.map(Into::into),
        })
    }
}

fn blank() -> Vec<u8> {
    vec![b' '; PIECE]
}

/// Whole blocks of deflate, none of which is the last, so that others can follow.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    // A vector takes whatever is written to it.
    let written = encoder.write_all(bytes).and_then(|()| encoder.flush());
    written.map_or_else(|_| Vec::new(), |()| encoder.get_ref().clone())
}

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.begun.take().or_else(|| self.piece.clone()) {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            // Nobody wakes it; it is dropped with its connection.
            None => Poll::Pending,
        }
    }
}
