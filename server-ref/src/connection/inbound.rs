//! Decodes a client's batch. For each invalid frame it recovers the id and channel, so that the error can name them.

use everwire_protocol::{BatchError, Channel, ClientFrame, ErrorCode, FrameError, Uuid, batch};
use serde::Deserialize;
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
    /// Whether its channel name is invalid.
    invalid_channel: bool,
}

/// Decodes a batch within `limits`.
pub fn decode(text: &str, limits: &everwire_protocol::Limits) -> Batch {
    let bounds = batch::Bounds {
        bytes: limits.batch_bytes as usize,
        frames: limits.batch_frames as usize,
        ..batch::Bounds::default()
    };
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
    pub const fn code(&self) -> ErrorCode {
        match self.error.code() {
            ErrorCode::InvalidFrame if self.invalid_channel => ErrorCode::InvalidChannel,
            code => code,
        }
    }

    /// The channel of a `subscribe`.
    pub fn subscribed_channel(&self) -> Option<&Channel> {
        match &self.error {
            FrameError::Malformed { kind, .. } if kind == "subscribe" => self.channel.as_ref(),
            FrameError::Malformed { .. } | FrameError::NotAFrame { .. } | FrameError::UnknownType { .. } => {
                None
            }
        }
    }

    fn salvage(error: FrameError, text: &str) -> Self {
        #[derive(Deserialize)]
        struct About {
            id: Option<serde_json::Value>,
            channel: Option<serde_json::Value>,
        }
        let about: Option<About> = serde_json::from_str(text).ok();
        let (id, channel) = about.map_or((None, None), |about| (about.id, about.channel));
        let name = channel.as_ref().and_then(serde_json::Value::as_str).map(Channel::new);
        Self {
            error,
            id: id.as_ref().and_then(serde_json::Value::as_str).and_then(|id| id.parse().ok()),
            invalid_channel: matches!(name, Some(Err(_))),
            channel: name.and_then(Result::ok),
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
        assert!(bad[1].unwrap().invalid_channel);
        assert!(bad[2].is_none());
        assert_eq!((bad[3].unwrap().id, bad[3].unwrap().channel.as_ref()), (None, None));
    }
}
