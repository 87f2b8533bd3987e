//! Decodes a client's batch. For each invalid frame it recovers the id and channel, so that the error can name them.

use everwire_protocol::{
    BatchError, Channel, ClientFrame, ErrorCode, FrameError, Uuid, batch, ids::parse_uuid,
    limits::POLL_BATCHES, strict,
};
use serde_json::value::RawValue;

/// A decoded batch from a client.
pub type Batch = Result<Vec<Result<ClientFrame, BadFrame>>, BatchError>;

/// A frame that could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadFrame {
    /// The error.
    pub error: FrameError,
    /// Its `id`, if it could be read.
    pub id: Option<Uuid>,
    /// Its `channel`, if it could be read.
    pub channel: Option<Channel>,
}

/// Decodes a batch within `limits`.
pub fn decode(text: &str, limits: &everwire_protocol::Limits) -> Batch {
    decode_within(limits.batch_bytes as usize, text, limits)
}

/// The most bytes of a request: one that receives may have twice as many as any other batch.
pub fn request_bytes(limits: &everwire_protocol::Limits) -> usize {
    limits.batch_bytes as usize * POLL_BATCHES
}

/// Decodes the batch of an HTTP request.
pub fn decode_request(text: &str, limits: &everwire_protocol::Limits) -> Batch {
    let frames = decode_within(request_bytes(limits), text, limits);
    let max = limits.batch_bytes as usize;
    let is_poll = |frame: &Result<ClientFrame, BadFrame>| matches!(frame, Ok(ClientFrame::Poll(_)));
    let receives = frames.as_ref().is_ok_and(|frames| frames.iter().any(is_poll));
    if text.len() > max && !receives {
        return Err(BatchError::TooLarge { bytes: text.len(), max });
    }
    frames
}

fn decode_within(bytes: usize, text: &str, limits: &everwire_protocol::Limits) -> Batch {
    let bounds = batch::Bounds { bytes, frames: limits.batch_frames as usize, ..batch::Bounds::default() };
    let frames = batch::decode::<ClientFrame>(text, &bounds)?;
    if frames.iter().all(Result::is_ok) {
        return Ok(frames.into_iter().flatten().map(Ok).collect());
    }
    // The JSON text of each frame, which the decoder does not keep. It has just parsed the batch, so this cannot fail.
    let texts: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
    Ok(frames
        .into_iter()
        .enumerate()
        .map(|(index, frame)| {
            frame.map_err(|error| BadFrame::salvage(error, texts.get(index).map_or("", |raw| raw.get())))
        })
        .collect())
}

impl BadFrame {
    /// The error code for the answer.
    pub fn code(&self) -> ErrorCode {
        self.error.code()
    }

    /// The channel of a `subscribe`.
    pub fn subscribed_channel(&self) -> Option<&Channel> {
        self.channel.as_ref().filter(|_| self.error.kind() == Some("subscribe"))
    }

    /// Finds out what the frame is about. Nothing is taken from members that occur twice.
    fn salvage(error: FrameError, text: &str) -> Self {
        let text_of = |name| serde_json::from_str::<String>(strict::member(text, name)?).ok();
        Self {
            error,
            id: text_of("id").as_deref().and_then(parse_uuid),
            channel: text_of("channel").and_then(|name| Channel::new(&name).ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_frame_keeps_the_id_and_channel_that_it_was_about() {
        let limits = super::super::Settings::default().limits;
        let id = "01900000-0000-7000-8000-000000000001";
        let text = format!(
            r#"[{{"type":"send","id":"{id}","channel":"news"}},{{"type":"subscribe","channel":"two words"}},{{"type":"ping"}},7]"#
        );
        let frames = decode(&text, &limits).unwrap();
        let bad: Vec<_> = frames.iter().map(|frame| frame.as_ref().err()).collect();
        assert_eq!(bad[0].unwrap().id, Some(id.parse().unwrap()));
        assert_eq!(bad[0].unwrap().channel, Some("news".parse().unwrap()));
        assert_eq!(bad[1].unwrap().code(), ErrorCode::InvalidChannel);
        assert!(bad[2].is_none());
        assert_eq!((bad[3].unwrap().id, bad[3].unwrap().channel.as_ref()), (None, None));
    }

    #[test]
    fn data_that_is_refused_does_not_hide_whose_data_it_is() {
        let limits = super::super::Settings::default().limits;
        let id = "01900000-0000-7000-8000-000000000001";
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        for data in [r#""\ud800""#, "1e400", r#"{"a":1,"a":1}"#, &deep] {
            let text = format!(r#"[{{"type":"send","id":"{id}","data":{data},"channel":"news"}}]"#);
            let frames = decode(&text, &limits).unwrap();
            let bad = frames[0].as_ref().unwrap_err();
            assert_eq!((bad.code(), bad.error.kind()), (ErrorCode::InvalidPayload, Some("send")), "{data}");
            assert_eq!(bad.id, Some(id.parse().unwrap()), "{data}");
            assert_eq!(bad.channel, Some("news".parse().unwrap()), "{data}");
        }
        let twice = format!(r#"[{{"type":"send","id":"{id}","id":"{id}","channel":"news","data":1}}]"#);
        let frames = decode(&twice, &limits).unwrap();
        assert_eq!(frames[0].as_ref().unwrap_err().id, None);
    }

    #[test]
    fn a_request_that_receives_may_be_twice_as_large_as_one_that_sends() {
        let limits = super::super::Settings::default().limits;
        let most = limits.batch_bytes as usize;
        let padded = |frame: &str, bytes: usize| format!("[{frame}{}]", " ".repeat(bytes - frame.len() - 2));
        let (poll, bye) = (r#"{"type":"poll","ack":0,"hold_ms":0}"#, r#"{"type":"bye"}"#);
        for (frame, bytes, fits) in
            [(poll, 2 * most, true), (poll, 2 * most + 1, false), (bye, most, true), (bye, most + 1, false)]
        {
            let text = padded(frame, bytes);
            assert_eq!(text.len(), bytes);
            let code =
                decode_request(&text, &limits).map(|frames| frames.len()).map_err(|error| error.code());
            assert_eq!(code, if fits { Ok(1) } else { Err(ErrorCode::TooLarge) }, "{frame} {bytes}");
        }
    }

    #[test]
    fn a_batch_of_too_many_frames_is_refused_with_the_ids_of_its_sends() {
        let limits =
            everwire_protocol::Limits { batch_frames: 2, ..super::super::Settings::default().limits };
        let id = "01900000-0000-7000-8000-000000000001";
        let text = format!(
            r#"[{{"type":"bye"}},7,{{"type":"send","id":"{id}","channel":"news","data":1}},{{"id":"x"}}]"#
        );
        assert_eq!(decode(&text, &limits).unwrap_err().ids(), [id.parse::<Uuid>().unwrap()]);
    }

    #[test]
    fn a_batch_is_bounded_by_what_the_server_announces() {
        let limits = everwire_protocol::Limits {
            batch_bytes: 33,
            batch_frames: 2,
            ..super::super::Settings::default().limits
        };
        let fits = r#"[{"type":"ping"},{"type":"ping"}]"#;
        assert_eq!(fits.len(), 33);
        assert!(decode(fits, &limits).is_ok());
        for text in [&format!("{fits} "), "[1,2,3]"] {
            assert_eq!(decode(text, &limits).unwrap_err().code(), ErrorCode::TooLarge, "{text}");
        }
    }
}
