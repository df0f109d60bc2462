//! From the threads that log to stderr, without a system call on the way of a call.
//!
//! Lines are gathered in memory, and one thread writes all that is there at once. A reader of stderr
//! that stands still holds up nobody: beyond [`MAX_BYTES`] lines are left out, and the log says how
//! many.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// What waits to be written is at most this much, some 5,000 lines.
const MAX_BYTES: usize = 1024 * 1024;

/// How long lines are gathered before they are written.
const GATHER: Duration = Duration::from_millis(5);

/// Gives each event a writer.
#[derive(Debug, Clone)]
pub(super) struct Pipe(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Told when lines come, when they have been written, and at the end.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    left_out: u64,
    writing: bool,
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what is left when it is dropped, then ends the log.
#[derive(Debug)]
#[must_use = "dropping it ends the log"]
pub struct Flush(Arc<Shared>);

pub(super) fn to_stderr() -> (Pipe, Flush) {
    open(io::stderr())
}

fn open(out: impl Write + Send + 'static) -> (Pipe, Flush) {
    let shared = Arc::<Shared>::default();
    thread::spawn({
        let shared = Arc::clone(&shared);
        move || write_until_the_end(&shared, out)
    });
    (Pipe(Arc::clone(&shared)), Flush(shared))
}

fn write_until_the_end(shared: &Shared, mut out: impl Write) {
    let mut lines = Vec::new();
    let mut state = shared.lock();
    loop {
        while state.waiting.is_empty() && !state.ended {
            state = shared.wait(state);
        }
        if state.waiting.is_empty() {
            return;
        }
        if !state.ended {
            drop(state);
            thread::sleep(GATHER);
            state = shared.lock();
        }
        mem::swap(&mut lines, &mut state.waiting);
        let left_out = mem::take(&mut state.left_out);
        state.writing = true;
        drop(state);

        // Nobody is left who could be told that stderr is gone.
        let _ = out.write_all(&lines);
        if left_out > 0 {
            let _ = writeln!(
                out,
                "{left_out} lines were left out here: stderr is too slow"
            );
        }
        lines.clear();

        state = shared.lock();
        state.writing = false;
        shared.changed.notify_all();
    }
}

impl Write for &Pipe {
    /// Takes one whole line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        if state.waiting.len() + line.len() > MAX_BYTES {
            state.left_out += 1;
            return Ok(line.len());
        }
        let is_first = state.waiting.is_empty();
        state.waiting.extend_from_slice(line);
        drop(state);
        if is_first {
            self.0.changed.notify_all();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Pipe {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        /// A stderr that stands still must not keep the process from ending.
        const PATIENCE: Duration = Duration::from_secs(1);
        let mut state = self.0.lock();
        state.ended = true;
        self.0.changed.notify_all();
        let is_left = |state: &mut State| !state.waiting.is_empty() || state.writing;
        drop(self.0.changed.wait_timeout_while(state, PATIENCE, is_left));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A stderr that hands on what it gets, and is as slow as whoever takes it.
    struct Output(mpsc::SyncSender<Vec<u8>>);

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn text(output: &mpsc::Receiver<Vec<u8>>) -> String {
        let bytes: Vec<u8> = output.iter().flatten().collect();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn what_is_left_at_the_end_is_written_in_order() {
        let (sender, output) = mpsc::sync_channel(100);
        let (pipe, flush) = open(Output(sender));
        for n in 0..3 {
            writeln!(&pipe, "line {n}").expect("taken");
        }
        drop(flush);
        assert_eq!(text(&output), "line 0\nline 1\nline 2\n");
    }

    #[test]
    fn a_reader_that_stands_still_costs_lines_and_holds_up_nobody() {
        let (sender, output) = mpsc::sync_channel(0);
        let (pipe, flush) = open(Output(sender));
        let line = [b'x'; 1023];
        for _ in 0..3 * MAX_BYTES / 1024 {
            (&pipe).write_all(&line).expect("taken");
            (&pipe).write_all(b"\n").expect("taken");
        }
        let reader = thread::spawn(move || text(&output));
        drop(flush);
        let written = reader.join().expect("no panic");
        assert!(written.len() <= 3 * MAX_BYTES);
        assert!(written.ends_with("lines were left out here: stderr is too slow\n"));
    }
}
