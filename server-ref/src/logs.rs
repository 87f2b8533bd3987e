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

/// Lines dropped since the start.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// How many lines of the log were dropped since the start, because nobody read them in time.
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
                // Nobody can be told that the log cannot be written.
                let _ = output.write_all(&line);
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
            let lost = lost - reported;
            let _ = writeln!(output, "{lost} lines of the log were dropped: it was not read in time");
            reported += lost;
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
