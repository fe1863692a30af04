//! One listener of an instrument: connections over TCP, bounded in number, size and silence. A message is
//! acknowledged only after it is kept.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::hl7::{self, Answer, Block, Blocks};
use super::lis2::{Event, Receiver};
use super::{Shared, Signal};
use crate::instruments::{self, Incoming, Letter, Source, Way};
use crate::vocabulary::instruments::{LetterCode, ListenerKind, WayKind};

/// How long a read waits before it is asked whether to stop.
const TICK: Duration = Duration::from_millis(50);
/// How long a sender of LIS01-A2 may be silent within a transfer.
const LIS2_SILENCE: Duration = Duration::from_secs(30);
/// How long an MLLP block may be silent in its middle.
const MLLP_SILENCE: Duration = Duration::from_secs(30);
/// How long an answer may take to leave.
const WRITE: Duration = Duration::from_secs(10);

/// Listens until told to stop. Where the port cannot be had, it is tried again, later and later.
pub(super) fn listen(shared: &Shared, way: &Way, signal: &Arc<Signal>) {
    let Some(port) = way.instrument.listener_port.and_then(|port| u16::try_from(port).ok()) else { return };
    let address = SocketAddr::new(shared.settings.listen, port);
    let mut pause = Duration::from_millis(500);
    let listener = loop {
        match TcpListener::bind(address).and_then(|one| one.set_nonblocking(true).map(|()| one)) {
            Ok(listener) => break listener,
            Err(error) => {
                tracing::warn!(instrument = %way.instrument.code, %address, %error, "no listener");
                report(shared, way, Some(format!("{address}: {error}")));
            }
        }
        if !signal.wait(pause) {
            return;
        }
        pause = (pause * 2).min(Duration::from_secs(60));
    };
    report(shared, way, None);
    let open = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        while !signal.stopped() {
            match listener.accept() {
                Ok((stream, peer)) if open.load(Ordering::SeqCst) >= shared.settings.connections => {
                    tracing::warn!(instrument = %way.instrument.code, %peer, "too many connections: this one is closed");
                    drop(stream);
                }
                Ok((stream, peer)) => {
                    open.fetch_add(1, Ordering::SeqCst);
                    let open = &open;
                    scope.spawn(move || {
                        let _place = Place(open);
                        Connection { shared, way, signal, stream, peer }.serve();
                    });
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    signal.wait(TICK);
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection was not taken");
                    signal.wait(TICK);
                }
            }
        }
    });
}

/// Gives a connection's place back.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn report(shared: &Shared, way: &Way, error: Option<String>) {
    if let Err(error) = instruments::report(&shared.services, way, WayKind::Listener, error) {
        tracing::error!(%error, "the state of a listener cannot be stored");
    }
}

/// What a read gave.
enum Came {
    Bytes(usize),
    /// Nothing for now.
    Silence,
    Gone,
}

struct Connection<'a> {
    shared: &'a Shared,
    way: &'a Way,
    signal: &'a Signal,
    stream: TcpStream,
    peer: SocketAddr,
}

impl Connection<'_> {
    fn serve(mut self) {
        let ready = self.stream.set_nonblocking(false).is_ok()
            && self.stream.set_read_timeout(Some(TICK)).is_ok()
            && self.stream.set_write_timeout(Some(WRITE)).is_ok();
        if !ready {
            return;
        }
        let _ = self.stream.set_nodelay(true);
        match self.way.instrument.listener_kind {
            Some(ListenerKind::Lis2) => self.lis2(),
            Some(ListenerKind::Mllp) => self.mllp(),
            _ => self.lines(),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> Came {
        match self.stream.read(buffer) {
            Ok(0) => Came::Gone,
            Ok(count) => Came::Bytes(count),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) =>
            {
                Came::Silence
            }
            Err(_) => Came::Gone,
        }
    }

    fn lis2(&mut self) {
        let mut receiver = Receiver::new(self.shared.settings.message_bytes);
        let (mut buffer, mut last) = ([0_u8; 4096], Instant::now());
        loop {
            let silence = if receiver.busy() { LIS2_SILENCE } else { self.shared.settings.idle };
            let events = match self.read(&mut buffer) {
                Came::Bytes(count) => {
                    last = Instant::now();
                    if !buffer.iter().take(count).all(|byte| {
                        let events = receiver.byte(*byte);
                        self.lis2_done(&mut receiver, events)
                    }) {
                        return;
                    }
                    continue;
                }
                Came::Gone => receiver.end("the connection broke off"),
                Came::Silence if self.signal.stopped() => receiver.end("the server stopped"),
                Came::Silence if last.elapsed() > silence => receiver.end("the sender fell silent"),
                Came::Silence => continue,
            };
            self.lis2_done(&mut receiver, events);
            return;
        }
    }

    /// Does what the receiver wants. False where the connection is over.
    fn lis2_done(&mut self, receiver: &mut Receiver, events: Vec<Event>) -> bool {
        for event in events {
            let answer = match event {
                Event::Answer(byte) => byte,
                Event::Message(bytes) => {
                    let kept = self.keep(Source::Lis2, &bytes, "lis2").is_ok();
                    receiver.kept(kept)
                }
                Event::Broken(bytes, why) => {
                    let _ = self.lost(Source::Lis2, LetterCode::Framing, why, &bytes, "lis2");
                    continue;
                }
            };
            if self.stream.write_all(&[answer]).is_err() {
                return false;
            }
        }
        true
    }

    fn mllp(&mut self) {
        let mut blocks = Blocks::new(self.shared.settings.message_bytes);
        let (mut buffer, mut last, mut within) = ([0_u8; 4096], Instant::now(), false);
        loop {
            let silence = if within { MLLP_SILENCE } else { self.shared.settings.idle };
            let why = match self.read(&mut buffer) {
                Came::Bytes(count) => {
                    last = Instant::now();
                    for index in 0..count {
                        let byte = buffer.get(index).copied().unwrap_or_default();
                        within |= byte == hl7::VT;
                        if let Some(block) = blocks.byte(byte) {
                            within = false;
                            if !self.block(&block) {
                                return;
                            }
                        }
                    }
                    continue;
                }
                Came::Gone => "the connection broke off",
                Came::Silence if self.signal.stopped() => "the server stopped",
                Came::Silence if last.elapsed() > silence => "the sender fell silent",
                Came::Silence => continue,
            };
            if let Some(bytes) = blocks.end() {
                let _ = self.lost(Source::Mllp, LetterCode::Framing, why, &bytes, "hl7");
            }
            return;
        }
    }

    /// Keeps one block and answers. False where the connection is over.
    fn block(&mut self, block: &Block) -> bool {
        let (bytes, answer, why) = match block {
            Block::TooLarge(bytes) => {
                let why = "the message is larger than the limit";
                let _ = self.lost(Source::Mllp, LetterCode::TooLarge, why, bytes, "hl7");
                (bytes, Answer::Reject, why.to_owned())
            }
            Block::Whole(bytes) if !hl7::is_message(bytes) => {
                let why = "no HL7 message: it does not begin with MSH";
                let _ = self.lost(Source::Mllp, LetterCode::Framing, why, bytes, "hl7");
                (bytes, Answer::Reject, why.to_owned())
            }
            Block::Whole(bytes) => match self.keep(Source::Mllp, bytes, "hl7") {
                Ok(()) => (bytes, Answer::Accept, String::new()),
                Err(why) => (bytes, Answer::Error, why),
            },
        };
        let now = self.shared.services.clock.now();
        let id = format!("{}{:04}", now.format("%Y%m%d%H%M%S%6f"), self.peer.port() % 10_000);
        let told = hl7::acknowledgement(bytes, answer, &why, now, &id);
        self.stream.write_all(&told).is_ok() && matches!(block, Block::Whole(_))
    }

    fn lines(&mut self) {
        let idle = Duration::from_millis(u64::try_from(self.way.instrument.listener_idle_ms).unwrap_or(1500));
        let (mut buffer, mut last) = ([0_u8; 4096], Instant::now());
        let mut message: Vec<u8> = Vec::new();
        loop {
            match self.read(&mut buffer) {
                Came::Bytes(count) => {
                    last = Instant::now();
                    message.extend(buffer.iter().take(count));
                    if message.len() > self.shared.settings.message_bytes {
                        let why = "the message is larger than the limit";
                        let _ = self.lost(Source::Lines, LetterCode::TooLarge, why, &message, "txt");
                        return;
                    }
                }
                Came::Gone => {
                    self.line_over(&mut message);
                    return;
                }
                Came::Silence if self.signal.stopped() => {
                    self.line_over(&mut message);
                    return;
                }
                Came::Silence if !message.is_empty() && last.elapsed() >= idle => self.line_over(&mut message),
                Came::Silence if last.elapsed() > self.shared.settings.idle => return,
                Came::Silence => {}
            }
        }
    }

    /// Nobody waits for an answer, so that what cannot be kept as a file is kept as a dead letter.
    fn line_over(&self, message: &mut Vec<u8>) {
        let bytes = std::mem::take(message);
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if let Err(why) = self.keep(Source::Lines, &bytes, "txt") {
            let _ = self.lost(Source::Lines, LetterCode::Refused, &why, &bytes, "txt");
        }
    }

    fn name(&self, bytes: &[u8], end: &str) -> String {
        let now = self.shared.services.clock.now().format("%Y%m%dT%H%M%S%3fZ");
        let sha = crate::store::blobs::sha256_hex(bytes);
        let short: String = sha.chars().take(8).collect();
        format!("{}_{now}_{short}.{end}", self.way.instrument.code)
    }

    /// Takes a message in. The error is for the sender.
    fn keep(&self, source: Source, bytes: &[u8], end: &str) -> Result<(), String> {
        let incoming = Incoming {
            name: self.name(bytes, end),
            bytes: bytes.to_vec(),
            beside: Vec::new(),
            source,
            path: None,
            instrument: Some(self.way.instrument.clone()),
            seen: None,
        };
        let taken = instruments::take(&self.shared.services, &self.way.actor, incoming);
        let taken = taken.map_err(|failure| {
            let refusal = failure.into_refusal();
            tracing::error!(instrument = %self.way.instrument.code, %refusal, "a message was not kept");
            refusal.message_en
        })?;
        if taken.known && source == Source::Lines {
            // A balance repeats nothing: two equal printouts are two weighings. One content is one import, so a
            // person has to see the second.
            let why = "the same content came before; this may be a second weighing";
            return self.lost(source, LetterCode::SameContent, why, bytes, end);
        }
        Ok(())
    }

    /// Keeps what is no message as a dead letter.
    fn lost(&self, source: Source, code: LetterCode, why: &str, bytes: &[u8], end: &str) -> Result<(), String> {
        let zh = match code {
            LetterCode::Framing => "报文不完整或格式错误",
            LetterCode::TooLarge => "报文过大",
            LetterCode::SameContent => "与之前的报文内容相同，可能是另一次称量",
            _ => "报文未能导入",
        };
        let letter = Letter {
            instrument: Some(self.way.instrument.id.clone()),
            source,
            name: self.name(bytes, end),
            path: None,
            code,
            reason: format!("{zh}：{why}（{}） / {why} ({})", self.peer, self.peer),
            sha256: None,
            size: None,
            file: None,
        };
        instruments::put(&self.shared.services, &self.way.actor, letter, Some(bytes)).map_err(|failure| {
            tracing::error!(instrument = %self.way.instrument.code, error = %failure, "a dead letter cannot be stored");
            failure.to_string()
        })
    }
}
