//! The JSON codec: a batch is an array of frames, on every transport.
//!
//! Decoding distinguishes errors of the whole batch ([`BatchError`]) from errors of one frame ([`FrameError`]): an invalid
//! frame does not affect the others. It never panics, and its work is limited by [`Bounds`].

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{
    Channel, ErrorCode, Misfit,
    ids::parse_uuid,
    limits,
    strict::{self, Flaw},
};

/// The longest part of a client's own text in an error, in characters.
const EXCERPT: usize = 100;

/// The limits of a decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Maximum size of the text in bytes.
    pub bytes: usize,
    /// Maximum number of frames.
    pub frames: usize,
    /// Maximum nesting depth; the batch itself is 1.
    pub depth: usize,
}

impl Default for Bounds {
    /// The limits for batches from a client.
    fn default() -> Self {
        Self { bytes: limits::MAX_BATCH_BYTES, frames: limits::MAX_BATCH_FRAMES, depth: limits::MAX_DEPTH }
    }
}

/// An error of a whole batch, which is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// More bytes than allowed.
    #[error("Batch too large: {bytes} bytes exceed the limit of {max}")]
    TooLarge {
        /// The actual number.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// More frames than allowed.
    #[error("Batch too large: {frames} frames exceed the limit of {max}")]
    TooManyFrames {
        /// The actual number.
        frames: usize,
        /// The limit.
        max: usize,
        /// The ids of the sends and requests among them.
        ids: Vec<Uuid>,
        /// The ids of the sends alone.
        sends: Vec<Uuid>,
    },
    /// Not a JSON array.
    #[error("Invalid batch: not a JSON array of frames ({0})")]
    NotAnArray(String),
}

impl BatchError {
    /// The ids of the sends and requests in the batch, as far as they could be read.
    pub fn ids(&self) -> Vec<Uuid> {
        match self {
            Self::TooManyFrames { ids, .. } => ids.clone(),
            Self::TooLarge { .. } | Self::NotAnArray(_) => Vec::new(),
        }
    }

    /// The ids of the sends among them.
    pub fn sends(self) -> Vec<Uuid> {
        match self {
            Self::TooManyFrames { sends, .. } => sends,
            Self::TooLarge { .. } | Self::NotAnArray(_) => Vec::new(),
        }
    }

    /// The error code for the answer.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::TooLarge { .. } | Self::TooManyFrames { .. } => ErrorCode::TooLarge,
            Self::NotAnArray(_) => ErrorCode::InvalidBatch,
        }
    }
}

/// An error of one frame of a batch. `index` counts from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not an object with a string `type`.
    #[error("Invalid frame at index {index}: not an object with a type ({reason})")]
    NotAFrame {
        /// Its index in the batch.
        index: usize,
        /// The parser's message.
        reason: String,
    },
    /// An unknown type. To be ignored.
    #[error("Unknown type {kind:?} of the frame at index {index}; the frame was ignored")]
    UnknownType {
        /// Its index in the batch.
        index: usize,
        /// The type.
        kind: String,
    },
    /// A known type with a missing or malformed field.
    #[error("Invalid {kind} frame at index {index}: {reason}")]
    Malformed {
        /// Its index in the batch.
        index: usize,
        /// The type.
        kind: String,
        /// The parser's message: the field, and what is wrong with it.
        reason: String,
    },
    /// A known type whose fields do not fit together, or are too long.
    #[error("Invalid {kind} frame at index {index}: {}", misfit.words)]
    Misshapen {
        /// Its index in the batch.
        index: usize,
        /// The type.
        kind: String,
        /// What is wrong.
        misfit: Misfit,
    },
    /// Nested too deeply, or JSON that strict readers refuse.
    #[error("Invalid {} at index {index}: {flaw}", named(kind.as_deref()))]
    Flawed {
        /// Its index in the batch.
        index: usize,
        /// The type, if it could be read.
        kind: Option<String>,
        /// What is wrong, and where.
        flaw: Flaw,
    },
}

fn named(kind: Option<&str>) -> String {
    kind.map_or_else(|| "frame".into(), |kind| alloc::format!("{kind} frame"))
}

impl FrameError {
    /// The error code for the answer.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Flawed { flaw, .. } if flaw.is_within("data") => ErrorCode::InvalidPayload,
            Self::NotAFrame { .. } | Self::Malformed { .. } | Self::Flawed { .. } => ErrorCode::InvalidFrame,
            Self::Misshapen { misfit, .. } => misfit.code,
            Self::UnknownType { .. } => ErrorCode::UnknownType,
        }
    }

    /// The type of the frame, if it could be read. Shortened if it is too long to be one.
    pub fn kind(&self) -> Option<&str> {
        match self {
            Self::NotAFrame { .. } => None,
            Self::UnknownType { kind, .. } | Self::Malformed { kind, .. } | Self::Misshapen { kind, .. } => {
                Some(kind)
            }
            Self::Flawed { kind, .. } => kind.as_deref(),
        }
    }
}

/// The frames of one direction: [`crate::ClientFrame`] or [`crate::ServerFrame`].
pub trait Frame: Shaped + Sized + serde::Serialize {
    /// All types of this direction, as on the wire.
    const TYPES: &'static [&'static str];

    /// Decodes a frame of a known type; `None` if the type is unknown.
    fn read(kind: &str, text: &str) -> Option<Result<Self, serde_json::Error>>;

    /// The type, as on the wire.
    fn kind(&self) -> &'static str;
}

/// What has to hold of a frame beyond the types of its fields.
pub trait Shaped {
    /// Whether the frame is what it must be.
    ///
    /// # Errors
    /// What is wrong with it first.
    fn check(&self) -> Result<(), Misfit> {
        Ok(())
    }
}

/// Decodes a batch. An error of the outer result concerns the whole batch, an inner one a single frame.
pub fn decode<F: Frame>(text: &str, bounds: &Bounds) -> Result<Vec<Result<F, FrameError>>, BatchError> {
    if text.len() > bounds.bytes {
        return Err(BatchError::TooLarge { bytes: text.len(), max: bounds.bytes });
    }
    // Checks the grammar of the whole text without recursion, so nothing has to be known about its depth.
    let frames: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|error| BatchError::NotAnArray(reason_of(&error)))?;
    if frames.len() > bounds.frames {
        let ids = frames.iter().filter_map(|raw| id_of(raw.get())).collect();
        let is_send = |raw: &&&RawValue| strict::member(raw.get(), "type") == Some("\"send\"");
        let sends = frames.iter().filter(is_send).filter_map(|raw| id_of(raw.get())).collect();
        return Err(BatchError::TooManyFrames { frames: frames.len(), max: bounds.frames, ids, sends });
    }
    let depth = bounds.depth.saturating_sub(1);
    Ok(frames.iter().enumerate().map(|(index, raw)| decode_frame(index, raw.get(), depth)).collect())
}

/// A frame of a server that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Why.
    pub error: FrameError,
    /// The channel and offset, if it is an entry that has them. A client goes on behind it: it would come again with every
    /// connection.
    pub entry: Option<(Channel, u64)>,
}

/// Decodes a batch of a server, as a client does.
pub fn decode_received<F: Frame>(
    text: &str,
    bounds: &Bounds,
) -> Result<Vec<Result<F, Unreadable>>, BatchError> {
    let frames = decode::<F>(text, bounds)?;
    // The JSON text of each frame, which the decoder does not keep. It has just parsed the batch, so this cannot fail.
    let texts: Vec<&RawValue> = if frames.iter().all(Result::is_ok) {
        Vec::new()
    } else {
        serde_json::from_str(text).unwrap_or_default()
    };
    let entry = |index: usize| texts.get(index).and_then(|raw| entry_of(raw.get()));
    let frames = frames.into_iter().enumerate();
    Ok(frames
        .map(|(index, frame)| frame.map_err(|error| Unreadable { error, entry: entry(index) }))
        .collect())
}

/// The channel and offset of an entry that cannot be read.
fn entry_of(text: &str) -> Option<(Channel, u64)> {
    if strict::member(text, "type")? != "\"message\"" {
        return None;
    }
    let name: String = serde_json::from_str(strict::member(text, "channel")?).ok()?;
    let offset: u64 = serde_json::from_str(strict::member(text, "offset")?).ok()?;
    Some((Channel::new(&name).ok()?, offset))
}

/// The id of a frame that is not decoded.
fn id_of(text: &str) -> Option<Uuid> {
    let id: String = serde_json::from_str(strict::member(text, "id")?).ok()?;
    parse_uuid(&id)
}

fn decode_frame<F: Frame>(index: usize, text: &str, depth: usize) -> Result<F, FrameError> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "type")]
        kind: String,
    }
    // First of all: the parsers below recurse.
    if let Err(flaw) = strict::check(text, depth) {
        let kind = strict::member(text, "type").and_then(|kind| serde_json::from_str::<String>(kind).ok());
        return Err(FrameError::Flawed { index, kind: kind.map(|kind| excerpt(&kind)), flaw });
    }
    // An array of the fields would be read as a frame too.
    if !text.starts_with('{') {
        return Err(FrameError::NotAFrame { index, reason: "expected an object".into() });
    }
    let head: Head = serde_json::from_str(text)
        .map_err(|error| FrameError::NotAFrame { index, reason: reason_of(&error) })?;
    let kind = head.kind;
    match F::read(&kind, text) {
        Some(Ok(frame)) => match frame.check() {
            Ok(()) => Ok(frame),
            Err(misfit) => Err(FrameError::Misshapen { index, kind, misfit }),
        },
        Some(Err(error)) => match invalid_channel(text) {
            Some(misfit) => Err(FrameError::Misshapen { index, kind, misfit }),
            None => Err(FrameError::Malformed { index, kind, reason: reason_of(&error) }),
        },
        None => Err(FrameError::UnknownType { index, kind: excerpt(&kind) }),
    }
}

/// What is wrong with the channel's name, which is told before anything else that is.
fn invalid_channel(text: &str) -> Option<Misfit> {
    let name: String = serde_json::from_str(strict::member(text, "channel")?).ok()?;
    let wrong = Channel::new(&name).err()?;
    Some(Misfit { code: ErrorCode::InvalidChannel, words: alloc::format!("channel: {wrong}") })
}

/// The parser's message without the position, which means nothing to those who have not seen the text.
fn reason_of(error: &serde_json::Error) -> String {
    let words = error.to_string();
    excerpt(words.rsplit_once(" at line ").map_or(&*words, |(reason, _)| reason))
}

/// The beginning of a text that the sender has chosen: an answer has a bound, whatever it is about.
fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(EXCERPT).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Encodes a batch.
pub fn encode<F: Frame>(frames: &[F]) -> String {
    let mut text = String::from("[");
    for (index, frame) in frames.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text += &encode_frame(frame);
    }
    text.push(']');
    text
}

/// Encodes one frame, without the brackets of a batch. Servers use it to encode a frame once for many receivers.
pub fn encode_frame<F: Frame>(frame: &F) -> String {
    // Frames contain strings, integers and valid JSON: nothing that could fail to be encoded.
    let written = serde_json::to_string(frame);
    debug_assert!(written.is_ok());
    written.unwrap_or_default()
}

/// Defines one direction's enum of frames: the variants, their types and their decoding. Frames are decoded directly into
/// their structs, because serde's internally tagged enums cannot contain a `RawValue`.
macro_rules! frames {
    ($(#[$doc:meta])* pub enum $name:ident { $($kind:literal => $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        #[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
        #[serde(tag = "type")]
        pub enum $name {
            $(
                #[doc = concat!("`", $kind, "`")]
                #[serde(rename = $kind)]
                $variant($variant),
            )*
        }

        impl $crate::batch::Frame for $name {
            const TYPES: &'static [&'static str] = &[$($kind),*];

            fn read(kind: &str, text: &str) -> Option<Result<Self, serde_json::Error>> {
                match kind {
                    $($kind => Some(serde_json::from_str(text).map(Self::$variant)),)*
                    _ => None,
                }
            }

            fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $kind),* }
            }
        }

        $(
            impl From<$variant> for $name {
                fn from(frame: $variant) -> Self {
                    Self::$variant(frame)
                }
            }
        )*
    };
}
pub(crate) use frames;
