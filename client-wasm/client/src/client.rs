//! The client: a connection to a server, for as long as one of its clones exists.

use std::{fmt, sync::Arc, time::Duration};

use everwire_protocol::{Channel as Name, Idle, Uuid};
use futures_channel::mpsc;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Channel, ConnectionState, Error, Notice, Options, Updates, json,
    request::{ANSWER_TIMEOUT, Request, answer},
    session::Session,
    shared::Shared,
};

#[cfg(all(not(target_arch = "wasm32"), feature = "native"))]
use crate::native as platform;
#[cfg(target_arch = "wasm32")]
use crate::web as platform;

/// A connection to a server. Clones are the same connection, and with the last one it is closed: channels and subscriptions do
/// not keep it open.
///
/// It connects, and reconnects whenever the connection is lost, until it is closed or the server refuses it for good.
#[derive(Clone)]
pub struct Client(Arc<Owner>);

/// Closes the connection when the last client goes.
struct Owner(Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        // What is not stored yet was not said to be unwanted.
        self.0.with(|session| session.close(false));
    }
}

impl Client {
    /// Begins to connect.
    ///
    /// # Errors
    /// [`Error::InvalidOption`]; without a browser also [`Error::NoRuntime`], outside of a tokio runtime.
    #[cfg(any(target_arch = "wasm32", feature = "native"))]
    pub fn connect(mut options: Options) -> Result<Self, Error> {
        platform::resolve(&mut options.url);
        options.check()?;
        let (reports, reported) = mpsc::unbounded();
        Ok(Self(Arc::new(Owner(platform::start(options, reports, reported)?))))
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.0
    }

    /// The channel with this name. `E` is the type of its messages.
    ///
    /// # Errors
    /// [`Error::InvalidChannel`]
    pub fn channel<E: Serialize + DeserializeOwned>(&self, name: &str) -> Result<Channel<E>, Error> {
        Ok(Channel::new(self.shared().clone(), Name::new(name)?))
    }

    /// The state of the connection.
    pub fn state(&self) -> ConnectionState {
        self.shared().peek(|session| session.state.clone())
    }

    /// The state of the connection, and each that follows. A stream that is not polled keeps the last 64.
    pub fn states(&self) -> Updates<ConnectionState> {
        Updates::new(self.shared().clone(), |session| &mut session.states, Some(self.state()))
    }

    /// Errors that are neither a state nor about one operation. A stream that is not polled keeps the last 64.
    pub fn errors(&self) -> Updates<Error> {
        Updates::new(self.shared().clone(), |session| &mut session.errors, None)
    }

    /// What is for this user, and not for one channel. A stream that is not polled keeps the last 64.
    pub fn notices(&self) -> Updates<Notice> {
        Updates::new(self.shared().clone(), |session| &mut session.notices, None)
    }

    /// The user as the server knows it; none before the first connection.
    pub fn user(&self) -> Option<String> {
        self.shared().peek(|session| {
            let user = session.core.user();
            (!user.is_empty()).then(|| user.to_owned())
        })
    }

    /// The id of the present connection, to which others can [signal](Channel::signal_to).
    pub fn connection(&self) -> Option<Uuid> {
        self.shared().peek(|session| {
            let connected = matches!(session.state, ConnectionState::Connected { .. });
            session.connection.filter(|_| connected)
        })
    }

    /// What the server has beyond the core of the protocol: `chats`, `receipts`, …; empty before the first connection.
    pub fn features(&self) -> Vec<String> {
        self.shared().peek(|session| session.features.clone())
    }

    /// Asks the server. The id of a request is chosen by the client: `make` puts it in its place. Asked again on every connection
    /// until it is answered, refused, or 10 seconds are over. Dropping the future gives up the answer.
    ///
    /// ```no_run
    /// # use everwire_client::{Client, Error, protocol::ListChats};
    /// # async fn run(client: Client) -> Result<(), Error> {
    /// let page = client.request(|id| ListChats { id, after: None, limit: Some(50) }).await?;
    /// println!("{} chats", page.chats.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the server says, [`Error::Timeout`] or [`Error::Closed`].
    pub async fn request<R: Request>(&self, make: impl FnOnce(Uuid) -> R) -> Result<R::Answer, Error> {
        answer(self.shared().clone(), make, ANSWER_TIMEOUT).await
    }

    /// The same with another time limit.
    ///
    /// # Errors
    /// What the server says, [`Error::Timeout`] or [`Error::Closed`].
    pub async fn request_within<R: Request>(
        &self,
        limit: Duration,
        make: impl FnOnce(Uuid) -> R,
    ) -> Result<R::Answer, Error> {
        answer(self.shared().clone(), make, limit).await
    }

    /// Tells whether the user is idle, on this and every later connection: others see `away` once all of a user's are.
    ///
    /// # Errors
    /// [`Error::Closed`]
    pub fn set_idle(&self, idle: bool) -> Result<(), Error> {
        let frame = json::frame("idle", &Idle { idle })?;
        self.shared().with(|session| session.send_always(frame))
    }

    /// The last frames, without data and tokens, and every change of the state with its reason, for a bug report.
    pub fn report(&self) -> String {
        self.shared().peek(|session| session.core.report())
    }

    /// Closes for good. What is not stored yet fails with [`Error::Closed`], and is discarded.
    pub fn close(&self) {
        self.shared().with(|session| session.close(true));
    }

    /// Resolves once the client has ended, whatever the reason, and what was on its way has left.
    pub async fn closed(&self) {
        let wait = self.shared().with(Session::wait_for_end);
        let _ = wait.await;
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("state", &self.state()).finish_non_exhaustive()
    }
}
