//! Whatever arrives, decoding ends with a value or a typed error, and what was decoded is written back as the same.

use everwire_fuzz::{Speaker, loose_pieces, nearly_a_batch};
use everwire_protocol::{ClientFrame, ServerFrame, batch};

fn decode<F: batch::Frame + PartialEq + std::fmt::Debug + Clone>(text: &str) {
    let Ok(frames) = batch::decode::<F>(text, &batch::Bounds::default()) else { return };
    let good: Vec<F> = frames.into_iter().flatten().collect();
    let again =
        batch::decode::<F>(&batch::encode(&good), &batch::Bounds { bytes: usize::MAX, ..Default::default() });
    assert_eq!(again, Ok(good.into_iter().map(Ok).collect()));
}

#[test]
fn arbitrary_bytes() {
    bolero::check!(name = "arbitrary_bytes").for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        decode::<ClientFrame>(&text);
        decode::<ServerFrame>(&text);
    });
}

#[test]
fn pieces_of_frames() {
    bolero::check!(name = "pieces_of_frames").for_each(|bytes: &[u8]| {
        let text = loose_pieces(bytes);
        decode::<ClientFrame>(&text);
        decode::<ServerFrame>(&text);
        decode::<ClientFrame>(&nearly_a_batch(bytes, Speaker::Client));
        decode::<ServerFrame>(&nearly_a_batch(bytes, Speaker::Server));
    });
}
