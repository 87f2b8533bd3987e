//! Reads the body of a request within bounds: bytes, time, and pieces, because each piece costs, however small it is. Not layers of
//! `tower-http`: their refusals are neither batches nor problems, they limit the pause between two pieces and not the whole,
//! and they count no pieces.

use std::time::Duration;

use axum::body::Body;
use futures_util::StreamExt;
use tokio::time::timeout;

/// How long a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Maximum pieces, which are chunks or what one read of the socket has brought: those of the largest body on the smallest packets.
const PIECES: usize = 1_024;

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It has too many bytes.
    TooLarge,
    /// It arrives in too many pieces.
    TooManyPieces,
    /// It took too long.
    TooSlow,
    /// The client disconnected, or the request is malformed.
    Broken,
}

/// Reads a body of at most `most` bytes.
///
/// # Errors
/// Why it was not read.
pub async fn read_body(body: Body, most: usize) -> Result<Vec<u8>, BodyError> {
    if hyper::body::Body::size_hint(&body).lower() > most as u64 {
        return Err(BodyError::TooLarge);
    }
    let read = async {
        let (mut pieces, mut bytes) = (body.into_data_stream(), Vec::new());
        for _ in 0..PIECES {
            let Some(piece) = pieces.next().await else { return Ok(bytes) };
            let piece = piece.map_err(|_| BodyError::Broken)?;
            if bytes.len() + piece.len() > most {
                return Err(BodyError::TooLarge);
            }
            bytes.extend_from_slice(&piece);
        }
        Err(BodyError::TooManyPieces)
    };
    timeout(TIMEOUT, read).await.unwrap_or(Err(BodyError::TooSlow))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    fn in_pieces(count: usize, size: usize) -> Body {
        let piece = move |_| Ok::<_, Infallible>(vec![b'x'; size]);
        Body::from_stream(stream::iter((0..count).map(piece)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_read_within_its_bounds_and_refused_for_what_exceeds_them() {
        assert_eq!(read_body(Body::empty(), 0).await, Ok(Vec::new()));
        assert_eq!(read_body(in_pieces(10, 100), 1_000).await, Ok(vec![b'x'; 1_000]));
        assert_eq!(read_body(in_pieces(10, 100), 999).await, Err(BodyError::TooLarge));
        assert_eq!(read_body(Body::from("four"), 3).await, Err(BodyError::TooLarge));
        assert_eq!(read_body(in_pieces(PIECES - 1, 1), 9_999).await, Ok(vec![b'x'; PIECES - 1]));
        assert_eq!(read_body(in_pieces(PIECES, 1), 9_999).await, Err(BodyError::TooManyPieces));
        let broken = stream::iter([Err::<Vec<u8>, _>(std::io::Error::other("cut"))]);
        assert_eq!(read_body(Body::from_stream(broken), 9).await, Err(BodyError::Broken));
        let endless = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, Infallible>("x"), ()))
        });
        let started = tokio::time::Instant::now();
        assert_eq!(read_body(Body::from_stream(endless), 9_999).await, Err(BodyError::TooSlow));
        assert_eq!(started.elapsed(), TIMEOUT);
    }
}
