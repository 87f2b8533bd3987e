//! The log on standard error. Logging never blocks: a thread of its own writes the lines, and those that it cannot keep up with
//! are dropped and counted.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use tracing_subscriber::fmt::MakeWriter;

/// Maximum lines that wait to be written.
const LINES: usize = 4096;

/// How long the end of the program waits for the last lines.
const FLUSH: Duration = Duration::from_millis(500);

/// How often the log says at most how many lines were dropped, while there are others to write.
const REPORT: Duration = Duration::from_secs(1);

/// Maximum bytes of a text in the log that anybody can choose, such as the path of a request that is refused.
const SHORT: usize = 200;

/// Lines dropped since the start.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// The beginning of a text that anybody can choose. Who is refused must not fill the disk with what the log says of it.
pub fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHORT)]
}

/// How many lines of the log were dropped since the start, because nobody read them in time, or they could not be written.
pub fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Writes lines without waiting. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LogWriter(SyncSender<Vec<u8>>);

/// Waits for the last lines when it is dropped, but not long.
#[derive(Debug)]
pub struct LogFlush {
    /// Closed by the thread at its end.
    ended: Receiver<()>,
    over: Arc<AtomicBool>,
}

/// Starts the thread that writes lines to `output`.
pub fn start(output: impl Write + Send + 'static) -> (LogWriter, LogFlush) {
    let (sender, lines) = sync_channel(LINES);
    let (running, ended) = sync_channel(0);
    let over = Arc::<AtomicBool>::default();
    let (stop, reported) = (over.clone(), dropped());
    thread::spawn(move || {
        let _running: SyncSender<()> = running;
        write_lines(&lines, output, &stop, reported);
    });
    (LogWriter(sender), LogFlush { ended, over })
}

fn write_lines(lines: &Receiver<Vec<u8>>, mut output: impl Write, over: &AtomicBool, mut reported: u64) {
    let mut reported_at = Instant::now();
    loop {
        let ended = match lines.recv_timeout(Duration::from_millis(50)) {
            Ok(line) => {
                if output.write_all(&line).is_err() {
                    // Only the statistics can say it.
                    DROPPED.fetch_add(1, Ordering::Relaxed);
                }
                if reported_at.elapsed() < REPORT {
                    continue;
                }
                false
            }
            Err(RecvTimeoutError::Timeout) => over.load(Ordering::Relaxed),
            Err(RecvTimeoutError::Disconnected) => true,
        };
        let lost = dropped();
        if lost > reported {
            // If this cannot be written either, it is said with the next lines.
            if writeln!(output, "{} lines of the log were dropped: it was not read in time", lost - reported)
                .is_ok()
            {
                reported = lost;
            }
        }
        reported_at = Instant::now();
        if ended {
            return;
        }
    }
}

impl Drop for LogFlush {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let started = Instant::now();
        // An error means that the thread has ended.
        while self.ended.recv_timeout(Duration::from_millis(10)) == Err(RecvTimeoutError::Timeout) {
            if started.elapsed() > FLUSH {
                return;
            }
        }
    }
}

/// One line.
#[derive(Debug)]
pub struct Line {
    text: Vec<u8>,
    lines: SyncSender<Vec<u8>>,
}

impl Write for Line {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.text.is_empty() && self.lines.try_send(std::mem::take(&mut self.text)).is_err() {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { text: Vec::new(), lines: self.0.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;

    /// An output that writes nothing until it may.
    struct Stuck {
        /// Told when the first line is about to be written.
        reached: mpsc::Sender<()>,
        until: mpsc::Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
        free: bool,
    }

    impl Write for Stuck {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            if !self.free {
                let _ = self.reached.send(());
                // An error means that it may.
                let _ = self.until.recv();
                self.free = true;
            }
            self.written.lock().unwrap().extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// An output that is closed.
    struct Closed(mpsc::Sender<()>);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            // The test may be over.
            let _ = self.0.send(());
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted() {
        let (told, is_tried) = mpsc::channel();
        let before = dropped();
        let (writer, flush) = start(Closed(told));
        for _ in 0..3 {
            writeln!(writer.make_writer(), "a line").unwrap();
        }
        for _ in 0..3 {
            is_tried.recv_timeout(Duration::from_secs(20)).unwrap();
        }
        drop(flush);
        assert!(dropped() >= before + 3);
    }

    #[test]
    fn of_a_text_that_anybody_can_choose_only_the_beginning_is_said() {
        assert_eq!(short("/livez"), "/livez");
        assert_eq!(short(&"x".repeat(30_000)).len(), SHORT);
        assert_eq!(short(&"\u{1f600}".repeat(100)).len(), SHORT);
        assert_eq!(short(&format!("x{}", "\u{e9}".repeat(100))).len(), SHORT - 1);
    }

    #[test]
    fn a_log_that_nobody_reads_stops_nobody_and_what_it_lost_is_counted_and_said() {
        let (free, until) = mpsc::channel::<()>();
        let (reached, is_stuck) = mpsc::channel();
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let (writer, flush) = start(Stuck { reached, until, written: written.clone(), free: false });
        let before = dropped();
        // What is kept are the first lines only if none is taken while others are already dropped.
        writeln!(writer.make_writer(), "line 0").unwrap();
        is_stuck.recv_timeout(Duration::from_secs(20)).unwrap();
        for n in 1..2 * LINES {
            writeln!(writer.make_writer(), "line {n}").unwrap();
        }
        let lost = dropped() - before;
        assert!(lost >= LINES as u64 - 1, "{lost}");
        drop(free);
        let started = Instant::now();
        let text = loop {
            let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
            if text.contains("lines of the log were dropped") || started.elapsed() > Duration::from_secs(20) {
                break text;
            }
            thread::yield_now();
        };
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("line ")).collect();
        let expected: Vec<String> = (0..lines.len()).map(|n| format!("line {n}")).collect();
        assert!(lines.len() >= LINES && lines == expected, "{} lines in order", lines.len());
        assert!(text.contains("lines of the log were dropped"), "{}", text.lines().last().unwrap());
        drop(flush);
    }
}
