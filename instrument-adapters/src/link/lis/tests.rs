use proptest::prelude::*;

use super::*;
use crate::link::testing::Kept;

const MESSAGE: &[u8] = b"H|\\^&\rP|1\rO|1|SX20260001\rR|1|^^^FVIII|102|%\rL|1|N\r";

/// One frame with its number and end mark.
fn frame(number: u8, text: &[u8], end: u8) -> Vec<u8> {
    let body = [&[b'0' + number], text, &[end]].concat();
    [&[STX], body.as_slice(), checksum(&body).as_bytes(), b"\r\n"].concat()
}

/// The answers to a whole transmission of these frames.
fn send(receiver: &mut LisReceiver, frames: &[Vec<u8>], kept: &mut Kept) -> Vec<u8> {
    receiver.feed(&[&[ENQ], frames.concat().as_slice(), &[EOT]].concat(), kept)
}

fn broken(bytes: &[u8], end: End) -> (Vec<u8>, Fault) {
    (bytes.to_vec(), Fault::BrokenOff(end))
}

#[test]
fn the_checksum_is_that_of_the_standard() {
    // Sum of '1', "H|\^&", CR and ETX by hand: 31+48+7c+5c+5e+26+0d+03 = 1e5.
    assert_eq!(checksum(b"1H|\\^&\r\x03"), "E5");
    assert_eq!(frames(b"H|\\^&\r", 240), [b"\x021H|\\^&\r\x03E5\r\n".to_vec()]);
}

#[test]
fn each_frame_is_acknowledged_and_the_text_joined() {
    let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
    let frames = frames(MESSAGE, 7);
    assert!(frames.len() > 8 && frames.iter().any(|f| f.contains(&ETB)));
    assert_eq!(send(&mut receiver, &frames, &mut kept), vec![ACK; frames.len() + 1]);
    assert_eq!(kept.messages, [MESSAGE.to_vec()]);
    assert!(receiver.is_idle() && kept.fragments.is_empty());
}

#[test]
fn the_last_frame_is_acknowledged_only_where_the_message_is_kept() {
    let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
    let good = frames(MESSAGE, 240);
    let (last, before) = good.split_last().unwrap();
    assert_eq!(receiver.feed(&[&[ENQ], before.concat().as_slice()].concat(), &mut kept), [ACK; 5]);
    kept.refuses = true;
    for _ in 0..20 {
        assert_eq!(receiver.feed(last, &mut kept), [NAK], "it is we who cannot: the sender is not given up");
    }
    kept.refuses = false;
    assert_eq!(receiver.feed(last, &mut kept), [ACK]);
    assert_eq!(receiver.feed(last, &mut kept), [ACK], "the answer was lost");
    assert!(receiver.feed(&[EOT], &mut kept).is_empty());
    assert_eq!((kept.messages, kept.fragments), (vec![MESSAGE.to_vec()], vec![]));
}

#[test]
fn what_was_acknowledged_is_owed_until_it_is_kept() {
    let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
    receiver.feed(&[&[ENQ], frame(1, b"H|\r", ETX).as_slice()].concat(), &mut kept);
    kept.refuses = true;
    receiver.feed(&[EOT], &mut kept);
    assert!(!receiver.is_idle());
    assert_eq!(receiver.feed(&[ENQ], &mut kept), [NAK], "wait");
    assert!(!receiver.end(End::Closed, &mut kept));
    kept.refuses = false;
    assert_eq!(receiver.feed(&[ENQ], &mut kept), [ACK]);
    assert_eq!(kept.fragments, [broken(b"H|\r", End::Sender)]);
    // Where the sender gives up a message, what it had heard ACK for is a fragment, and so is what was refused.
    receiver.feed(&frame(1, b"H|\rR|1\r", ETX), &mut kept);
    kept.refuses = true;
    let last = frame(2, b"R|2\rL|1\r", ETX);
    assert_eq!(receiver.feed(&last.repeat(6), &mut kept), [NAK; 6]);
    kept.refuses = false;
    receiver.feed(&[EOT], &mut kept);
    assert_eq!(kept.fragments[1], broken(b"H|\rR|1\r", End::Sender));
    assert_eq!(kept.fragments[2], (last, Fault::NotKept("the disk is full".into())));
}

#[test]
fn a_damaged_frame_is_refused_until_it_comes_right() {
    let good = frames(MESSAGE, 240);
    let mut bad = good[3].clone();
    bad[20] ^= 1;
    let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
    let sent = [&good[..3], &[bad.clone(), bad.clone()], &good[3..]].concat();
    assert_eq!(send(&mut receiver, &sent, &mut kept), [ACK, ACK, ACK, ACK, NAK, NAK, ACK, ACK]);
    assert_eq!((&kept.messages, &kept.fragments), (&vec![MESSAGE.to_vec()], &vec![]));
    // Never mended: what had been acknowledged is a fragment, and the frame as it came another one.
    send(&mut receiver, &[&good[..3], &[bad.clone(), bad.clone()]].concat(), &mut kept);
    assert_eq!(kept.messages.len(), 1);
    assert_eq!(kept.fragments[0], broken(b"H|\\^&\rP|1\rO|1|SX20260001\r", End::Sender));
    assert!(matches!(&kept.fragments[1], (raw, Fault::Checksum { frame: '4', .. }) if *raw == bad));
}

#[test]
fn a_sender_that_does_not_stop_is_given_up() {
    let mut bad = frame(2, b"R|1\r", ETX);
    bad[3] ^= 1;
    let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
    receiver.feed(&[&[ENQ], frame(1, b"H|\r", ETX).as_slice()].concat(), &mut kept);
    assert_eq!(receiver.feed(&bad.repeat(6), &mut kept), [NAK; 6]);
    assert!(!receiver.is_over() && kept.all.is_empty());
    assert_eq!(receiver.feed(&[bad.as_slice(), &[ENQ]].concat(), &mut kept), [NAK]);
    assert!(receiver.is_over());
    assert_eq!(kept.all, [b"H|\r".to_vec(), bad]);
    // One that holds in between begins the count anew.
    let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
    receiver.feed(&[ENQ], &mut kept);
    for number in 1..6 {
        let other = frame(number + 2, b"R|1\r", ETX).repeat(5);
        assert_eq!(receiver.feed(&other, &mut kept), [NAK; 5]);
        assert_eq!(receiver.feed(&frame(number, b"R|1\r", ETX), &mut kept), [ACK]);
    }
}

#[test]
fn a_frame_sent_twice_is_taken_once_and_a_missing_one_is_noticed() {
    let good = frames(MESSAGE, 240);
    let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
    let twice = [&good[..2], &good[1..]].concat();
    assert_eq!(send(&mut receiver, &twice, &mut kept), [ACK; 7]);
    assert_eq!(kept.messages, [MESSAGE.to_vec()]);
    let gap = [&good[..2], &good[3..]].concat();
    assert_eq!(send(&mut receiver, &gap, &mut kept), [ACK, ACK, ACK, NAK, NAK]);
    assert_eq!(kept.messages.len(), 1);
    // Both frames that were refused are there, with what was wrong with the last of them.
    assert_eq!(kept.fragments[1], (good[3..].concat(), Fault::Sequence { found: '5', expected: '3' }));
}

#[test]
fn a_number_that_comes_again_with_other_bytes_is_refused() {
    let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
    let (one, other) = (frame(1, b"R|1|5.0\r", ETX), frame(1, b"R|1|7.5\r", ETX));
    assert_eq!(send(&mut receiver, &[one, other.clone()], &mut kept), [ACK, ACK, NAK]);
    assert_eq!(kept.fragments, [broken(b"R|1|5.0\r", End::Sender), (other, Fault::Changed('1'))]);
}

#[test]
fn numbers_go_from_one_to_seven_and_on_from_zero() {
    let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
    receiver.feed(&[ENQ], &mut kept);
    assert_eq!(receiver.feed(&frame(0, b"H|\r", ETX), &mut kept), [NAK], "the first is 1");
    for number in (1..=7).chain(0..=7).chain([0]) {
        assert_eq!(receiver.feed(&frame(number, b"C|\r", ETX), &mut kept), [ACK]);
    }
    assert_eq!(receiver.feed(&[ENQ], &mut kept), [ACK]);
    assert_eq!(receiver.feed(&frame(1, b"H|\r", ETX), &mut kept), [ACK], "and so after each ENQ");
}

#[test]
fn a_message_ends_with_its_terminator_wherever_that_stands() {
    let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
    let sent = [
        // Two messages in a frame, the third begins in it and ends over frames, in the middle of its terminator.
        frame(1, b"H|1\rL|1\rH|2\rL|1|N\rH|3\r", ETX),
        frame(2, b"R|1\rL|1", ETB),
        frame(3, b"|N\r", ETX),
        // A record without its end before ETX, and line ends of two bytes.
        frame(4, b"H|4\r\nLX|no terminator\r\nL|1\r\n", ETX),
        frame(5, b"H|5", ETX),
        frame(6, b"L", ETX),
    ];
    assert_eq!(send(&mut receiver, &sent, &mut kept), [ACK; 7]);
    let wanted: [&[u8]; 5] =
        [b"H|1\rL|1\r", b"H|2\rL|1|N\r", b"H|3\rR|1\rL|1|N\r", b"H|4\r\nLX|no terminator\r\nL|1\r\n", b"H|5\rL\r"];
    assert_eq!(kept.messages, wanted);
    assert!(kept.fragments.is_empty());
    // Where the second message of a frame is not kept, neither is acknowledged, and both come again.
    let mut count = 0;
    let mut second_fails = |_: Given<'_>| {
        count += 1;
        if count == 2 { Err(String::new()) } else { Ok(()) }
    };
    let two = [&[ENQ], frame(1, b"H|1\rL|1\rH|2\rL|1\r", ETX).as_slice()].concat();
    assert_eq!(receiver.feed(&two, &mut second_fails), [ACK, NAK]);
    assert_eq!(receiver.feed(&two[1..], &mut second_fails), [ACK]);
    assert_eq!(count, 4);
}

#[test]
fn a_frame_that_never_ends_is_no_dead_end() {
    let half = b"\x021H|\\^&|||PO".to_vec();
    let never = Fault::Frame { frame: '1', what: "it never ended" };
    let whole = frame(1, MESSAGE, ETX);
    for (between, answers) in [(&[EOT, ENQ][..], &[ACK, ACK][..]), (&[ENQ], &[ACK, ACK]), (&[], &[ACK])] {
        let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
        receiver.feed(&[ENQ], &mut kept);
        receiver.feed(&half, &mut kept);
        assert_eq!(receiver.feed(&[between, &whole].concat(), &mut kept), answers);
        receiver.feed(&[EOT], &mut kept);
        assert_eq!(kept.messages, [MESSAGE.to_vec()]);
        // Where the sender sent the frame anew, nothing is missing.
        let left = if between.is_empty() { vec![] } else { vec![(half.clone(), never.clone())] };
        assert_eq!(kept.fragments, left);
    }
    for end in [End::Silence, End::Closed, End::Stopped] {
        let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
        receiver.feed(&[&[ENQ], frame(1, b"H|\r", ETX).as_slice(), b"\x022R|1\r\x03A"].concat(), &mut kept);
        assert!(receiver.end(end, &mut kept) && receiver.is_idle());
        assert_eq!(kept.fragments[0], broken(b"H|\r", end));
        assert_eq!(kept.fragments[1].0, b"\x022R|1\r\x03A");
        assert_eq!(receiver.feed(&[ENQ], &mut kept), [ACK]);
    }
}

#[test]
fn what_is_not_framed_does_not_vanish() {
    let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
    // Line ends and answers to nobody alone are nothing.
    receiver.feed(&[CR, LF, ACK, NAK, EOT], &mut kept);
    assert!(receiver.is_idle() && receiver.end(End::Closed, &mut kept) && kept.all.is_empty());
    assert!(receiver.feed(b"H|\\^&\r\nL|1\r\n", &mut kept).is_empty());
    assert!(!receiver.is_idle());
    assert!(receiver.end(End::Silence, &mut kept) && receiver.is_idle());
    assert!(receiver.feed(&frame(1, b"H|\r", ETX), &mut kept).is_empty(), "nobody asked by ENQ");
    assert_eq!(receiver.feed(&[ENQ], &mut kept), [ACK]);
    receiver.feed(b"R|1|5\r\n", &mut kept);
    // A frame that lost its beginning waits for an answer, and has one.
    let whole = frame(1, b"H|\rL|1\r", ETX);
    assert_eq!(receiver.feed(&whole[1..], &mut kept), [NAK]);
    assert_eq!(receiver.feed(&[whole.as_slice(), &[EOT]].concat(), &mut kept), [ACK]);
    let inside = [b"R|1|5\r\n", &whole[1..]].concat();
    let wanted = [b"H|\\^&\r\nL|1\r\n".to_vec(), frame(1, b"H|\r", ETX), inside];
    assert_eq!(kept.fragments, wanted.map(|bytes| (bytes, Fault::Unframed)));
    assert_eq!(kept.messages, [b"H|\rL|1\r".to_vec()]);
}

#[test]
fn a_frame_has_one_answer() {
    // An end mark in the middle of a damaged frame: what follows belongs to the same frame.
    let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
    let mut damaged = frame(1, b"H|\\^&|1\r", ETX);
    damaged[4] = ETX;
    assert_eq!(receiver.feed(&[&[ENQ], damaged.as_slice()].concat(), &mut kept), [ACK, NAK]);
    assert_eq!(receiver.feed(b"\x021A\x03zz\r\n\x021A\x03\r\n\x021A\x0345\n", &mut kept), [NAK, NAK, NAK]);
    let without_return = [&frame(1, b"H|\r", ETX)[..8], b"\n"].concat();
    assert_eq!(receiver.feed(&without_return, &mut kept), [ACK], "some devices leave out CR: {without_return:?}");
}

#[test]
fn what_is_too_long_is_refused() {
    let (mut receiver, mut kept) = (LisReceiver::new(TransmissionLimits { frame: 10, message: 12 }), Kept::default());
    assert_eq!(send(&mut receiver, &[frame(1, b"0123456789\r", ETX)], &mut kept), [ACK, NAK]);
    assert_eq!(kept.fragments.last().map(|(_, fault)| fault), Some(&Fault::TooLong(10)));
    let two = [frame(1, b"012345\r", ETX), frame(2, b"R|345\r", ETX)];
    assert_eq!(send(&mut receiver, &two, &mut kept), [ACK, ACK, NAK]);
    assert_eq!(kept.fragments[1..], [broken(b"012345\r", End::Sender), (two[1].clone(), Fault::TooLong(12))]);
    // A frame without end, and what is not a frame at all, end with the connection.
    receiver.feed(&[ENQ, STX], &mut kept);
    let answers = receiver.feed(&[b'x'; 100], &mut kept);
    assert!(answers == [NAK] && receiver.is_over());
    assert_eq!(kept.fragments.last().map(|(raw, _)| raw.as_slice()), Some(&b"\x02xxxxxxxxxxx"[..]));
    let mut receiver = LisReceiver::new(TransmissionLimits { frame: 10, message: 12 });
    receiver.feed(&[b'y'; 100], &mut kept);
    assert!(receiver.is_over());
    assert_eq!(kept.fragments.last(), Some(&(vec![b'y'; 12], Fault::TooLong(12))));
    assert!(receiver.end(End::Closed, &mut kept));
}

#[test]
fn a_sender_gives_up_after_six_refusals() {
    let mut sender = Sender::new(MESSAGE);
    assert_eq!(sender.begin(), [ENQ]);
    let mut step = sender.answer(ACK);
    for _ in 0..6 {
        assert!(matches!(&step, SenderStep::Send(bytes) if bytes.first() == Some(&STX)));
        step = sender.answer(NAK);
    }
    assert_eq!(step, SenderStep::Send(vec![EOT]));
    assert_eq!(sender.answer(NAK), SenderStep::Failed);
}

/// What a sender may do, right and wrong.
#[derive(Debug, Clone)]
enum Deed {
    /// The frame that is due, with this text, ETX or ETB.
    Frame(Vec<u8>, bool),
    /// The last frame that was acknowledged.
    Again,
    /// Its number with another text.
    Other(Vec<u8>),
    Damaged(Vec<u8>),
    /// A frame up to this place of it.
    Half(prop::sample::Index),
    Noise(Vec<u8>),
    Enq,
    Eot,
    /// The keeper cannot keep anything from here on, or can again.
    Keeps(bool),
    Silence,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let text = || {
        let records = prop_oneof![Just("H|\r"), Just("R|1|5.0\r"), Just("L|1|N\r"), Just("R|1\rL|1\rH|\r"), Just("C|")];
        prop::collection::vec(records, 1..3).prop_map(|records| records.concat().into_bytes())
    };
    let deed = prop_oneof![
        8 => (text(), any::<bool>()).prop_map(|(text, etx)| Deed::Frame(text, etx)),
        1 => Just(Deed::Again),
        1 => text().prop_map(Deed::Other),
        1 => text().prop_map(Deed::Damaged),
        1 => any::<prop::sample::Index>().prop_map(Deed::Half),
        1 => "[g-z][g-z\r\n]{0,8}".prop_map(|noise| Deed::Noise(noise.into_bytes())),
        3 => Just(Deed::Enq),
        2 => Just(Deed::Eot),
        1 => any::<bool>().prop_map(Deed::Keeps),
        1 => Just(Deed::Silence),
    ];
    prop::collection::vec(deed, 0..40)
}

/// The bytes of a text without what a receiver may add or leave out: line ends.
fn plain(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| !is_line_end(*byte)).collect()
}

proptest! {
    /// Whatever the text, the size of frames and the pieces in which it arrives.
    #[test]
    fn what_is_sent_arrives(
        records in prop::collection::vec("[A-KM-Z][ -~\u{80}-\u{7ff}]{0,80}", 1..12),
        size in 1usize..60,
        piece in 1usize..50,
    ) {
        let mut message: Vec<u8> = records.iter().flat_map(|r| [r.as_bytes(), b"\r"].concat()).collect();
        message.extend(b"L|1|N\r");
        let stream = [&[ENQ], frames(&message, size).concat().as_slice(), &[EOT]].concat();
        let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
        let answers: Vec<u8> = stream.chunks(piece).flat_map(|c| receiver.feed(c, &mut kept)).collect();
        prop_assert_eq!(kept.all, [message]);
        prop_assert!(!answers.contains(&NAK));
    }

    /// A sender that does anything, on a keeper that fails at times: what it heard ACK for is kept, all of it and in
    /// its order, and nothing else is taken for acknowledged.
    #[test]
    fn no_acknowledged_byte_is_lost(deeds in deeds()) {
        let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
        let (mut acknowledged, mut noise) = (Vec::new(), Vec::new());
        let (mut number, mut last) = (1, None);
        for deed in deeds {
            let end = |etx: bool| if etx { ETX } else { ETB };
            let bytes = match &deed {
                Deed::Frame(text, etx) => frame(number, text, end(*etx)),
                Deed::Again => last.clone().unwrap_or_default(),
                Deed::Other(text) => frame((number + 7) % 8, text, ETX),
                Deed::Damaged(text) => {
                    let mut bytes = frame(number, text, ETX);
                    bytes[2] ^= 0x40;
                    bytes
                }
                Deed::Half(place) => {
                    let whole = frame(number, b"R|1|7\r", ETX);
                    whole[..place.index(whole.len())].to_vec()
                }
                Deed::Noise(bytes) => bytes.clone(),
                Deed::Enq => vec![ENQ],
                Deed::Eot => vec![EOT],
                Deed::Keeps(keeps) => {
                    kept.refuses = !keeps;
                    continue;
                }
                Deed::Silence => {
                    receiver.end(End::Silence, &mut kept);
                    continue;
                }
            };
            let outside = matches!(receiver.state, State::Neutral | State::Waiting);
            let answers = receiver.feed(&bytes, &mut kept);
            prop_assert!(answers.len() <= 1, "{:?} to {:?}", answers, deed);
            match (&deed, answers.as_slice()) {
                (Deed::Enq, [ACK]) => (number, last) = (1, None),
                (Deed::Frame(text, _), [ACK]) => {
                    acknowledged.extend(plain(text));
                    (number, last) = ((number + 1) % 8, Some(bytes));
                }
                (Deed::Other(_) | Deed::Damaged(_) | Deed::Half(_) | Deed::Noise(_) | Deed::Eot, [ACK]) => {
                    // Only the very frame that was acknowledged may be acknowledged once more.
                    prop_assert_eq!(last.as_ref(), Some(&bytes));
                }
                (Deed::Noise(bytes), _) if outside => noise.extend(plain(bytes)),
                _ => {}
            }
        }
        kept.refuses = false;
        prop_assert!(receiver.end(End::Closed, &mut kept));
        let broken_off = kept.fragments.iter().filter(|(_, fault)| matches!(fault, Fault::BrokenOff(_)));
        let texts: usize = kept.messages.iter().chain(broken_off.map(|(bytes, _)| bytes)).map(|b| plain(b).len()).sum();
        // What a frame held whose second message was not kept comes again, so that there may be more than was
        // acknowledged, and never less.
        prop_assert!(texts >= acknowledged.len());
        let mut rest = kept.all.iter().flat_map(|bytes| plain(bytes));
        prop_assert!(acknowledged.iter().all(|byte| rest.any(|other| other == *byte)));
        let unframed: Vec<u8> = kept.fragments.iter().filter(|(_, fault)| *fault == Fault::Unframed)
            .flat_map(|(bytes, _)| plain(bytes)).collect();
        let mut rest = unframed.iter();
        prop_assert!(noise.iter().all(|byte| rest.any(|other| other == byte)));
    }

    /// The pieces in which bytes arrive make no difference, whatever they are.
    #[test]
    fn pieces_make_no_difference(
        parts in prop::collection::vec(
            prop_oneof![
                Just(vec![ENQ]),
                Just(vec![EOT]),
                Just(frame(1, b"H|\rR|1\r", ETX)),
                Just(frame(2, b"L|1\r", ETX)),
                Just(frame(2, b"C|1", ETB)),
                Just(b"\x023half".to_vec()),
                prop::collection::vec(prop_oneof![0u8..32, any::<u8>()], 0..6),
            ],
            0..30,
        ),
        size in 1usize..40,
    ) {
        let stream = parts.concat();
        let run = |size: usize| {
            let (mut receiver, mut kept) = (LisReceiver::new(TransmissionLimits { frame: 20, message: 60 }), Kept::default());
            let answers: Vec<u8> = stream.chunks(size).flat_map(|c| receiver.feed(c, &mut kept)).collect();
            let over = receiver.is_over();
            receiver.end(End::Closed, &mut kept);
            (answers, over, kept.all, kept.fragments)
        };
        let whole = run(stream.len().max(1));
        prop_assert!(whole.0.len() <= stream.len());
        prop_assert_eq!(whole, run(size));
    }

    /// One changed byte within the frames never yields another message.
    #[test]
    fn a_changed_byte_is_noticed(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = [&[ENQ], frames(MESSAGE, 12).concat().as_slice(), &[EOT]].concat();
        let at = place.index(bytes.len());
        prop_assume!(!bytes[at].eq_ignore_ascii_case(&byte));
        bytes[at] = byte;
        let (mut receiver, mut kept) = (LisReceiver::default(), Kept::default());
        receiver.feed(&bytes, &mut kept);
        for message in kept.messages {
            prop_assert_eq!(message, MESSAGE);
        }
    }
}
