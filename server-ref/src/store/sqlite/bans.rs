//! Bans and revocations in the database.

use sqlx::{Row, SqliteConnection};

use super::{SqliteStore, signed, unavailable, unsigned};
use crate::{
    model::ban::{AccessChange, Ban, Revocation, Revoked},
    store::{Answer, bans::BanStore},
};

impl BanStore for SqliteStore {
    fn bans(&self) -> Answer<'_, (Vec<Ban>, Vec<Revocation>)> {
        Box::pin(async move { self.read_bans().await.map_err(unavailable) })
    }

    fn has_changed<'a>(&'a self, change: &'a AccessChange) -> Answer<'a, bool> {
        Box::pin(async move { self.reads_as(change).await.map_err(unavailable) })
    }

    fn change_access<'a>(&'a self, change: &'a AccessChange) -> Answer<'a, ()> {
        Box::pin(self.write(async move |writer| write(writer, change).await))
    }
}

impl SqliteStore {
    async fn reads_as(&self, change: &AccessChange) -> Result<bool, sqlx::Error> {
        let query = match change {
            AccessChange::Ban(Ban { user, since, until, reason }) => sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM bans WHERE user = ? AND since = ? AND until IS ? AND reason IS ?)",
            )
            .bind(&**user)
            .bind(signed(*since))
            .bind(until.map(signed))
            .bind(reason.as_deref()),
            AccessChange::Unban(user) => {
                sqlx::query_scalar("SELECT NOT EXISTS (SELECT 1 FROM bans WHERE user = ?)").bind(&**user)
            }
            AccessChange::Revoke(Revocation { of, at, until }) => {
                let (token, what) = revoked(of);
                sqlx::query_scalar(
                    "SELECT EXISTS (SELECT 1 FROM revocations WHERE token = ? AND what = ? AND at >= ? AND until >= ?)",
                )
                .bind(token)
                .bind(what)
                .bind(signed(*at))
                .bind(signed(*until))
            }
        };
        query.fetch_one(&self.readers).await
    }

    async fn read_bans(&self) -> Result<(Vec<Ban>, Vec<Revocation>), sqlx::Error> {
        let rows =
            sqlx::query("SELECT user, since, until, reason FROM bans").fetch_all(&self.readers).await?;
        let bans = rows.iter().map(|row| {
            let until: Option<i64> = row.try_get("until")?;
            Ok(Ban {
                user: row.try_get::<&str, _>("user")?.into(),
                since: unsigned(row, "since")?,
                until: until.and_then(|until| u64::try_from(until).ok()),
                reason: row.try_get("reason")?,
            })
        });
        let bans = bans.collect::<Result<_, sqlx::Error>>()?;
        let rows =
            sqlx::query("SELECT token, what, at, until FROM revocations").fetch_all(&self.readers).await?;
        let revocations = rows.iter().map(|row| {
            let what = row.try_get::<&str, _>("what")?.into();
            let of = if row.try_get("token")? { Revoked::Token(what) } else { Revoked::User(what) };
            Ok(Revocation { of, at: unsigned(row, "at")?, until: unsigned(row, "until")? })
        });
        Ok((bans, revocations.collect::<Result<_, sqlx::Error>>()?))
    }
}

pub(super) async fn write(writer: &mut SqliteConnection, change: &AccessChange) -> Result<(), sqlx::Error> {
    let query = match change {
        AccessChange::Ban(Ban { user, since, until, reason }) => {
            sqlx::query("INSERT OR REPLACE INTO bans (user, since, until, reason) VALUES (?, ?, ?, ?)")
                .bind(&**user)
                .bind(signed(*since))
                .bind(until.map(signed))
                .bind(reason.as_deref())
        }
        AccessChange::Unban(user) => sqlx::query("DELETE FROM bans WHERE user = ?").bind(&**user),
        AccessChange::Revoke(Revocation { of, at, until }) => {
            let (token, what) = revoked(of);
            // A shorter one, or a clock that went back, must not make tokens valid again that were revoked before.
            sqlx::query(
                "INSERT INTO revocations (token, what, at, until) VALUES (?, ?, ?, ?)
                 ON CONFLICT DO UPDATE SET at = max(at, excluded.at), until = max(until, excluded.until)",
            )
            .bind(token)
            .bind(what)
            .bind(signed(*at))
            .bind(signed(*until))
        }
    };
    query.execute(writer).await.map(drop)
}

/// Whether a single token is revoked, and its id or that of the user.
fn revoked(of: &Revoked) -> (bool, &str) {
    match of {
        Revoked::User(user) => (false, user),
        Revoked::Token(id) => (true, id),
    }
}

/// Removes what is over, at most `most` of each kind. Returns whether there may be more.
pub(super) async fn remove_expired(
    writer: &mut SqliteConnection,
    now: u64,
    most: u64,
) -> Result<bool, sqlx::Error> {
    let mut more = false;
    for expired in [
        "DELETE FROM bans WHERE user IN (SELECT user FROM bans WHERE until <= ? LIMIT ?)",
        "DELETE FROM revocations WHERE (token, what) IN (SELECT token, what FROM revocations WHERE until <= ? LIMIT ?)",
    ] {
        let done = sqlx::query(expired).bind(signed(now)).bind(signed(most)).execute(&mut *writer).await?;
        more |= done.rows_affected() == most;
    }
    Ok(more)
}
