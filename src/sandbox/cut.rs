//! A body that breaks off in the middle, as when a connection is lost.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};

/// Some bytes, then an error.
pub(super) struct Cut {
    begun: Option<Bytes>,
}

impl Cut {
    /// In place of any body: announces more than it delivers.
    pub fn half(_: Body) -> Body {
        Body::new(Self {
            begun: Some(Bytes::from_static(b"{\"")),
        })
    }
}

impl HttpBody for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(match self.begun.take() {
            Some(bytes) => Ok(Frame::data(bytes)),
            None => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
        }))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(64)
    }
}
