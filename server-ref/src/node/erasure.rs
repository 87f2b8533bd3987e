//! Deleting chats and erasing users, as back ends request it.

use super::Node;
use crate::Error;

impl Node {
    /// Deletes a chat with its log. Returns whether there was one. When this returns, its members receive nothing more of it.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: it was not deleted.
    pub async fn delete_chat(&self, chat: &str) -> Result<bool, Error> {
        self.commits.delete_chat(chat.into()).await
    }

    /// Begins to erase a user. When this returns, the request will be carried out whatever happens, nothing more of the user is
    /// accepted, and the user's connections are about to end. The user's tokens are refused until a time, in ms since 1970.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: nothing has changed.
    pub async fn erase_user(&self, user: &str, until: u64) -> Result<(), Error> {
        self.commits.erase_user(user.into(), until).await
    }
}
