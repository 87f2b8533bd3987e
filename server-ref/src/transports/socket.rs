//! A socket that fails if its peer does not read: if it takes too little of what is being written for too long, on any route.
//! The buffers of the system are bounded, too: by default a peer that does not read makes each of them grow to several
//! megabytes.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpSocket, TcpStream},
    time::{Instant, Sleep, sleep},
};

/// How long a peer may take to read [`PROGRESS`] bytes, or whatever is left of a response.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

/// The bytes that a peer has to read in that time: the rate of the slowest network that is still usable.
const PROGRESS: usize = 16 * 1024;

/// The system's buffer for what was written and not read, in bytes; Linux doubles it. Two batches fit.
const SEND_BUFFER: u32 = 128 * 1024;

/// The system's buffer for what was received and not read, in bytes. One batch fits.
const RECEIVE_BUFFER: u32 = 64 * 1024;

/// Sockets that the system has accepted and this process has not.
const BACKLOG: u32 = 4_096;

/// Listens. Accepted sockets have the buffers of the listening one.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A socket with a deadline for its peer.
#[derive(Debug)]
pub(crate) struct Socket<S = TcpStream> {
    inner: S,
    /// Runs while something waits to be written.
    deadline: Option<Pin<Box<Sleep>>>,
    /// What was written since the deadline was set.
    progress: usize,
}

impl<S> Socket<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, deadline: None, progress: 0 }
    }

    /// The socket itself, for what has deadlines of its own.
    pub(super) fn into_inner(self) -> S {
        self.inner
    }

    /// Something could not be written now.
    fn blocked(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(WRITE_TIMEOUT)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer does not read")))
    }

    fn wrote(&mut self, bytes: usize) {
        let Some(deadline) = &mut self.deadline else { return };
        self.progress += bytes;
        if self.progress >= PROGRESS {
            self.progress = 0;
            deadline.as_mut().reset(Instant::now() + WRITE_TIMEOUT);
        }
    }

    /// Everything was written.
    fn clear(&mut self) {
        (self.deadline, self.progress) = (None, 0);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.inner).poll_write(context, bytes) {
            Poll::Ready(written) => {
                self.wrote(*written.as_ref().unwrap_or(&0));
                Poll::Ready(written)
            }
            Poll::Pending => self.blocked(context),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.inner).poll_write_vectored(context, bytes) {
            Poll::Ready(written) => {
                self.wrote(*written.as_ref().unwrap_or(&0));
                Poll::Ready(written)
            }
            Poll::Pending => self.blocked(context),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    /// Called when nothing is left to be written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_flush(context))?;
        self.clear();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_given_up() {
        let (mut far, near) = duplex(1_000);
        let mut socket = Socket::new(near);
        socket.write_all(&[0; 1_000]).await.unwrap();
        socket.flush().await.unwrap();
        sleep(10 * WRITE_TIMEOUT).await;
        // What was written entirely may be read whenever the peer wants.
        let start = Instant::now();
        let error = socket.write_all(&[0; 1_000]).await.unwrap_err();
        assert_eq!((error.kind(), start.elapsed()), (io::ErrorKind::TimedOut, WRITE_TIMEOUT));
        far.read_exact(&mut [0; 1_000]).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_a_little_is_given_up_and_one_on_a_slow_network_is_not() {
        for (bytes, works) in [(100, false), (2_000, true)] {
            let (mut far, near) = duplex(1_000);
            let mut socket = Socket::new(near);
            let reader = tokio::spawn(async move {
                let mut buffer = vec![0; bytes];
                while far.read_exact(&mut buffer).await.is_ok() {
                    sleep(Duration::from_secs(1)).await;
                }
            });
            let written = socket.write_all(&vec![0; 200_000]).await;
            assert_eq!(written.is_ok(), works, "{bytes} bytes in a second");
            reader.abort();
        }
    }
}
