//! One listener of an instrument: connections over TCP, bounded in number, size and silence. What the bytes mean and
//! what is answered is decided in [`instrument_adapters::link`]; a message is acknowledged only after it is kept here.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono_tz::Asia::Shanghai;
use instrument_adapters::link::{End, Fault, Given, Keeper, Receive, lines, lis, mllp};

use super::quota::{Quota, source};
use super::{Shared, Signal};
use crate::instruments::{self, Incoming, Letter, Peers, Source, Way};
use crate::vocabulary::instruments::{LetterCode, ListenerKind, WayKind};

/// How long a read waits before it is asked whether to stop.
const TICK: Duration = Duration::from_millis(50);
/// How long a sender may be silent within a message; LIS01-A2 says 30 seconds.
const WITHIN: Duration = Duration::from_secs(30);
/// How long an answer may take to leave.
const WRITE: Duration = Duration::from_secs(10);
/// How long a message may go on after the server was asked to stop, so that it is not broken off at its end.
const GRACE: Duration = Duration::from_secs(2);
/// How long it takes until what could not be kept is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Listens until asked to stop. Where the port cannot be had, it is tried again, later and later.
pub(super) fn listen(shared: &Shared, way: &Way, signal: &Arc<Signal>) {
    let Some(port) = way.instrument.listener_port.and_then(|port| u16::try_from(port).ok()) else { return };
    if port == shared.services.site.listen.port() {
        report(shared, way, Some(format!("{port}：本系统自身的端口 / the server's own port")));
        while signal.rest(Duration::from_secs(3600)) {}
        return;
    }
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
    let hall = Hall::open(shared, way);
    std::thread::scope(|scope| {
        while !signal.stopped() {
            match listener.accept() {
                Ok((stream, peer)) => {
                    if let Some(place) = hall.admit(peer) {
                        let desk = Desk { hall: &hall, peer };
                        let connection = Connection { desk, signal, stream, place };
                        scope.spawn(move || connection.serve());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    hall.tell_quota();
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

/// What the connections of one listener share: who may come in, how they are, and what they have sent.
struct Hall<'a> {
    shared: &'a Shared,
    way: &'a Way,
    peers: Peers,
    places: Places,
    quota: Quota,
    /// Whom the register knows to have sent too much.
    told: Mutex<Vec<IpAddr>>,
    /// Who was turned away since that was last logged, and when that was.
    turned_away: Mutex<(u64, Option<Instant>)>,
}

impl<'a> Hall<'a> {
    fn open(shared: &'a Shared, way: &'a Way) -> Self {
        let peers = Peers::parse(&way.instrument.listener_peers).unwrap_or_else(|part| {
            tracing::error!(instrument = %way.instrument.code, part, "no address: this machine alone is heard");
            Peers::default()
        });
        let hall = Self {
            shared,
            way,
            peers,
            places: Places::default(),
            quota: Quota::new(shared.settings.allowance),
            told: Mutex::default(),
            turned_away: Mutex::default(),
        };
        hall.count_letters();
        hall
    }

    /// A place for whoever may speak; everybody else is turned away at the door.
    fn admit(&self, peer: SocketAddr) -> Option<Place<'_>> {
        let source = source(peer.ip());
        if !self.peers.admit(peer.ip()) {
            self.turn_away(peer, "its address is not among those that may speak to this listener");
            return None;
        }
        if self.quota.is_spent(source, Instant::now()) {
            self.turn_away(peer, "it has sent all that it may within an hour");
            return None;
        }
        let settings = &self.shared.settings;
        let place = self.places.take(source, settings.connections_per_address, settings.connections);
        if place.is_none() {
            self.turn_away(peer, "too many connections");
        }
        place
    }

    /// A line a minute: whoever knocks without end must not fill the log.
    fn turn_away(&self, peer: SocketAddr, why: &str) {
        let mut turned = self.turned_away.lock().unwrap_or_else(PoisonError::into_inner);
        turned.0 += 1;
        if turned.1.is_none_or(|at| at.elapsed() >= Duration::from_secs(60)) {
            tracing::warn!(instrument = %self.way.instrument.code, %peer, count = turned.0, why, "a connection is closed");
            *turned = (0, Some(Instant::now()));
        }
    }

    fn count_letters(&self) {
        let most = self.shared.settings.open_letters;
        match instruments::open_letters(&self.shared.services, &self.way.instrument, most) {
            Ok(count) => self.quota.crowd(count >= most),
            Err(error) => tracing::error!(%error, "the dead letters of a listener cannot be counted"),
        }
    }

    /// Tells the register who is not heard for now, and when everybody is again.
    fn tell_quota(&self) {
        let spent = self.quota.spent_by(Instant::now());
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told == spent {
            return;
        }
        let names = spent.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let error = (!spent.is_empty()).then(|| {
            format!(
                "{names}：一小时内发送过多，暂不接收 / sent more than is taken within an hour and is not heard for now"
            )
        });
        if let Some(error) = &error {
            tracing::warn!(instrument = %self.way.instrument.code, error, "a sender is not heard");
        }
        report(self.shared, self.way, error);
        *told = spent;
    }
}

fn report(shared: &Shared, way: &Way, error: Option<String>) {
    if let Err(error) = instruments::report(&shared.services, way, WayKind::Listener, error) {
        tracing::error!(%error, "the state of a listener cannot be stored");
    }
}

/// The places of a listener. Instruments hold their connection open between messages, and a serial-to-Ethernet box that
/// lost its power leaves one behind that nobody will ever close: where all places are taken, the one that is silent
/// for longest between messages makes room.
#[derive(Default)]
struct Places(Mutex<Vec<Arc<Standing>>>);

/// What is known of one connection.
struct Standing {
    source: IpAddr,
    /// Since when nothing came; `None` within a message.
    silent: Mutex<Option<Instant>>,
    /// Another one needs the place.
    leave: AtomicBool,
}

impl Places {
    /// A place, unless `most` are taken by connections in the middle of a message. An address that has its own number of
    /// them makes room among its own, so that it cannot crowd out the others.
    fn take(&self, source: IpAddr, of_one: usize, most: usize) -> Option<Place<'_>> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|one| !one.leave.load(Ordering::SeqCst));
        let own = taken.iter().filter(|one| one.source == source).count();
        if own >= of_one {
            make_room(&mut taken, |one| one.source == source)?;
        } else if taken.len() >= most {
            make_room(&mut taken, |_| true)?;
        }
        let standing =
            Arc::new(Standing { source, silent: Mutex::new(Some(Instant::now())), leave: AtomicBool::new(false) });
        taken.push(standing.clone());
        Some(Place { places: self, standing })
    }
}

/// Has the one leave that is silent for longest among these.
fn make_room(taken: &mut Vec<Arc<Standing>>, among: impl Fn(&Standing) -> bool) -> Option<()> {
    let since = |one: &Arc<Standing>| *one.silent.lock().unwrap_or_else(PoisonError::into_inner);
    let standing = taken.iter().filter(|one| among(one)).filter_map(|one| since(one).map(|at| (at, one)));
    let (_, longest) = standing.min_by_key(|(at, _)| *at)?;
    longest.leave.store(true, Ordering::SeqCst);
    taken.retain(|one| !one.leave.load(Ordering::SeqCst));
    Some(())
}

/// A connection's place, given back when it ends.
struct Place<'a> {
    places: &'a Places,
    standing: Arc<Standing>,
}

impl Place<'_> {
    fn tell(&self, silent: Option<Instant>) {
        *self.standing.silent.lock().unwrap_or_else(PoisonError::into_inner) = silent;
    }

    fn is_wanted(&self) -> bool {
        self.standing.leave.load(Ordering::SeqCst)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|one| !Arc::ptr_eq(one, &self.standing));
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
    desk: Desk<'a>,
    signal: &'a Signal,
    stream: TcpStream,
    place: Place<'a>,
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
        let mut link = self.desk.link();
        let end = self.talk(&mut *link);
        let _ = self.stream.shutdown(Shutdown::Write);
        // However it ended: what was acknowledged is kept, and what cannot be kept now is tried again.
        while !link.end(end, &mut self.desk) {
            if !self.signal.rest(AGAIN) {
                tracing::error!(instrument = %self.desk.hall.way.instrument.code, "the server stops, and not all is kept");
                return;
            }
        }
    }

    /// Feeds the link until the connection is over, and says why it is.
    fn talk(&mut self, link: &mut dyn Receive) -> End {
        let within = self.desk.within();
        let mut buffer = [0_u8; 4096];
        let (mut last, mut settled, mut stopping) = (Instant::now(), Instant::now(), None);
        let mut spoke = false;
        loop {
            match self.read(&mut buffer) {
                Came::Bytes(count) => {
                    spoke = true;
                    self.desk.spend(count, 0);
                    (last, settled) = (Instant::now(), Instant::now());
                    let answers = link.feed(buffer.get(..count).unwrap_or_default(), &mut self.desk);
                    if self.stream.write_all(&answers).is_err() {
                        return End::Closed;
                    }
                }
                Came::Gone => return End::Closed,
                Came::Silence if self.signal.stopped() => return End::Stopped,
                Came::Silence if !link.is_idle() && settled.elapsed() >= within => {
                    // The connection stays: the instrument may begin anew on it.
                    link.end(End::Silence, &mut self.desk);
                    settled = Instant::now();
                }
                Came::Silence if link.is_idle() && self.leaves(last, spoke) => return End::Silence,
                Came::Silence => {}
            }
            self.place.tell(link.is_idle().then_some(last));
            if link.is_over() {
                return End::GivenUp;
            }
            // Between messages, so that nothing that was acknowledged is cut off.
            if link.is_idle() && self.desk.is_spent() {
                return End::GivenUp;
            }
            if self.signal.stopped() {
                let since: Instant = *stopping.get_or_insert_with(Instant::now);
                if link.is_idle() || since.elapsed() > GRACE {
                    return End::Stopped;
                }
            }
        }
    }

    /// Whether a connection between messages ends that is silent since then.
    fn leaves(&self, last: Instant, spoke: bool) -> bool {
        let settings = &self.desk.hall.shared.settings;
        let patience = if spoke { settings.idle } else { settings.first_byte.min(settings.idle) };
        self.place.is_wanted() || last.elapsed() > patience
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
}

/// Takes into the laboratory what comes over one connection.
struct Desk<'a> {
    hall: &'a Hall<'a>,
    peer: SocketAddr,
}

impl Keeper for Desk<'_> {
    fn keep(&mut self, given: Given<'_>) -> Result<(), String> {
        match given {
            Given::Message(bytes) => self.take_in(bytes),
            Given::Fragment { bytes, fault } => self.put_aside(bytes, code(fault), &reason(fault)),
        }
    }

    fn time(&mut self) -> String {
        self.hall.shared.services.clock.now().with_timezone(&Shanghai).format("%Y%m%d%H%M%S%z").to_string()
    }
}

impl Desk<'_> {
    fn spend(&self, bytes: usize, letters: u32) {
        self.hall.quota.spend(source(self.peer.ip()), bytes, letters, Instant::now());
    }

    fn is_spent(&self) -> bool {
        self.hall.quota.is_spent(source(self.peer.ip()), Instant::now())
    }

    fn source(&self) -> Source {
        match self.hall.way.instrument.listener_kind {
            Some(ListenerKind::Lis2) => Source::Lis2,
            Some(ListenerKind::Mllp) => Source::Mllp,
            _ => Source::Lines,
        }
    }

    fn link(&self) -> Box<dyn Receive> {
        let most = self.hall.shared.settings.message_bytes;
        match self.source() {
            Source::Lis2 => Box::new(lis::LisReceiver::new(lis::TransmissionLimits { frame: most, message: most })),
            Source::Mllp => Box::new(mllp::MllpReceiver::new(most)),
            _ => Box::new(lines::LineReceiver::new(most)),
        }
    }

    /// How long silence lasts that ends a message.
    fn within(&self) -> Duration {
        match self.source() {
            Source::Lines => {
                Duration::from_millis(u64::try_from(self.hall.way.instrument.listener_idle_ms).unwrap_or(1500))
            }
            _ => WITHIN.min(self.hall.shared.settings.idle),
        }
    }

    fn name(&self, bytes: &[u8]) -> String {
        let end = match self.source() {
            Source::Lis2 => "lis2",
            Source::Mllp => "hl7",
            _ => "txt",
        };
        let now = self.hall.shared.services.clock.now().format("%Y%m%dT%H%M%S%3fZ");
        let sha = crate::store::blobs::sha256_hex(bytes);
        let short: String = sha.chars().take(8).collect();
        format!("{}_{now}_{short}.{end}", self.hall.way.instrument.code)
    }

    /// Takes a message in. The error is for the sender.
    fn take_in(&self, bytes: &[u8]) -> Result<(), String> {
        let incoming = Incoming {
            name: self.name(bytes),
            bytes: bytes.to_vec(),
            beside: Vec::new(),
            source: self.source(),
            path: None,
            instrument: Some(self.hall.way.instrument.clone()),
            seen: None,
        };
        let taken = instruments::take(&self.hall.shared.services, &self.hall.way.actor, incoming);
        let taken = taken.map_err(|failure| {
            let refusal = failure.into_refusal();
            tracing::error!(instrument = %self.hall.way.instrument.code, %refusal, "a message was not kept");
            refusal.message_en
        })?;
        if taken.known && self.source() == Source::Lines {
            // A balance repeats nothing: two equal printouts are two weighings. One content is one import, so a
            // person has to see the second.
            let zh = "与之前的报文内容相同，可能是另一次称量";
            let en = "the same content came before; this may be a second weighing";
            return self.put_aside(bytes, LetterCode::SameContent, &(zh.into(), en.into()));
        }
        Ok(())
    }

    /// Keeps what is not a message as a dead letter, with the reason in Chinese and in English.
    fn put_aside(&self, bytes: &[u8], code: LetterCode, (zh, en): &(String, String)) -> Result<(), String> {
        let letter = Letter {
            instrument: Some(self.hall.way.instrument.id.clone()),
            source: self.source(),
            name: self.name(bytes),
            path: None,
            code,
            reason: format!("{zh}（{}） / {en} ({})", self.peer, self.peer),
            sha256: None,
            size: None,
            file: None,
        };
        let kept = instruments::put(&self.hall.shared.services, &self.hall.way.actor, letter, Some(bytes));
        // An equal printout is a letter, and no fault of its sender.
        if code != LetterCode::SameContent {
            self.spend(0, 1);
            self.hall.count_letters();
        }
        kept.map_err(|failure| {
            // Where it is the database that fails, the bytes are in the files already, under this name.
            let sha256 = crate::store::blobs::sha256_hex(bytes);
            tracing::error!(instrument = %self.hall.way.instrument.code, error = %failure, sha256, "a dead letter cannot be stored");
            failure.to_string()
        })
    }
}

/// The stable word of a dead letter.
fn code(fault: &Fault) -> LetterCode {
    match fault {
        Fault::TooLong(_) => LetterCode::TooLarge,
        Fault::NotKept(_) => LetterCode::Refused,
        _ => LetterCode::Framing,
    }
}

/// Why bytes are not a message, in Chinese and in English.
fn reason(fault: &Fault) -> (String, String) {
    let zh = match fault {
        Fault::Unframed => "帧以外的字节".into(),
        Fault::Frame { frame, .. } => format!("第 {frame} 帧不完整"),
        Fault::Checksum { frame, found, expected } => {
            format!("第 {frame} 帧校验和为 {found}，按字节计算应为 {expected}")
        }
        Fault::Sequence { found, expected } => format!("收到第 {found} 帧，应为第 {expected} 帧"),
        Fault::Changed(frame) => format!("第 {frame} 帧已确认，又收到内容不同的同号帧"),
        Fault::TooLong(most) => format!("报文超过上限 {most} 字节"),
        Fault::NotKept(_) => "报文未能保存".into(),
        Fault::NotHl7 => "不是 HL7 报文：未以 MSH 开头".into(),
        Fault::BrokenOff(end) => {
            let end = match end {
                End::Sender => "发送方结束了传输",
                End::Restart => "发送方开始了新的传输",
                End::Silence => "发送方不再发送",
                End::Closed => "连接中断",
                End::Stopped => "服务器停止",
                End::GivenUp => "连续多次被拒收",
            };
            format!("报文不完整：{end}")
        }
    };
    (zh, fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_silence_makes_room_and_nobody_in_a_message_does() {
        let places = Places::default();
        let take = |who: u8| places.take(IpAddr::from([10, 2, 0, who]), 2, 2);
        let (one, two) = (take(1).unwrap(), take(2).unwrap());
        one.tell(None);
        let three = take(3).unwrap();
        assert!(two.is_wanted() && !one.is_wanted() && !three.is_wanted());
        three.tell(None);
        assert!(take(4).is_none());
        drop(two);
        assert!(take(4).is_none());
        drop(one);
        assert!(take(4).is_some());
    }

    #[test]
    fn one_address_makes_room_among_its_own_and_takes_nobody_elses_place() {
        let places = Places::default();
        let take = |who: u8| places.take(IpAddr::from([10, 2, 0, who]), 2, 4);
        let other = take(9).unwrap();
        let (one, two) = (take(1).unwrap(), take(1).unwrap());
        let more: Vec<_> = (0..20).map(|_| take(1).unwrap()).collect();
        assert!(one.is_wanted() && two.is_wanted() && !other.is_wanted());
        assert_eq!(more.iter().filter(|place| !place.is_wanted()).count(), 2);
        more.iter().for_each(|place| place.tell(None));
        assert!(take(1).is_none());
        assert!(take(2).is_some());
    }
}
