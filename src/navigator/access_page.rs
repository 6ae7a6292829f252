//! Who has access: users, their tokens, and what was done.

use super::certificates::{Certificate, certificates};
use super::forms::{Fields, field};
use super::visitor::Visitor;
use super::{moved, not_found, not_ours, page, unavailable};
use crate::config::Config;
use crate::domain::access::{NewToken, check_name, new_password};
use crate::http::auth::Access;
use crate::http::known_operations;
use crate::store::access::{self as kept, Audited, Change, NewUser, Token, User, sealed_digest};
use crate::store::{Db, Store, StoreError};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use askama::Template;
use chrono::{NaiveDateTime, TimeDelta, Utc};
use std::sync::Arc;

/// Lines of the audit log that are shown.
const LINES: i64 = 100;

/// Fields of a form, in their order; one that may be ticked several times is there several times.
#[derive(Template)]
#[template(path = "access.html")]
struct AccessPage {
    visitor: Visitor,
    roles: Vec<String>,
    users: Vec<Person>,
    tokens: Vec<Key>,
    certificates: Vec<Certificate>,
    lines: Vec<Line>,
    /// What is shown this once: whose it is, and the secret.
    secret: Option<(String, String)>,
    wrong: Option<String>,
    /// The field of certificates that users are known by.
    certificate_field: &'static str,
}

struct Person {
    name: String,
    roles: String,
    /// All roles, each with whether the user has it.
    choices: Vec<(String, bool)>,
    certificate: String,
    by: String,
    locked: Option<String>,
    is_self: bool,
    is_disabled: bool,
    has_digest: bool,
}

struct Key {
    id: String,
    user: String,
    name: String,
    state: &'static str,
    scopes: String,
    expires: String,
    used: String,
}

struct Line {
    at: String,
    caller: String,
    action: String,
    outcome: String,
    peer: String,
}

fn time(at: Option<NaiveDateTime>) -> String {
    at.map_or_else(|| "–".to_owned(), |at| at.format("%Y-%m-%d %H:%M").to_string())
}

type Kept = (Vec<User>, Vec<(Token, String)>, Vec<Audited>);

fn look(db: &mut Db) -> Result<Kept, StoreError> {
    Ok((kept::all(db)?, kept::all_tokens(db)?, kept::audited(db, LINES)?))
}

async fn draw(
    store: &Store,
    (access, config): (&Access, &Config),
    visitor: Visitor,
    secret: Option<(String, String)>,
    wrong: Option<String>,
) -> HttpResponse {
    let (users, tokens, lines) = match store.read(look).await {
        Ok(found) => found,
        Err(error) => return unavailable(visitor, &error),
    };
    let now = Utc::now().naive_utc();
    let own = visitor.name().map(str::to_owned);
    let person = |user: User| Person {
        is_self: own.as_deref() == Some(user.name.as_str()),
        by: match (&user.certificate, &user.password) {
            (Some(certificate), Some(_)) => format!("password, certificate {certificate}"),
            (Some(certificate), None) => format!("certificate {certificate}"),
            (None, Some(_)) => "password".to_owned(),
            (None, None) => "tokens".to_owned(),
        },
        choices: access
            .roles()
            .names()
            .map(|role| (role.to_owned(), user.roles.split_whitespace().any(|own| own == role)))
            .collect(),
        is_disabled: user.disabled_at.is_some(),
        has_digest: user.digest_secret.is_some(),
        certificate: user.certificate.unwrap_or_default(),
        locked: user.locked_until.filter(|until| *until > now).map(|until| time(Some(until))),
        name: user.name,
        roles: user.roles,
    };
    let key = |(token, user): (Token, String)| Key {
        state: token.state(now),
        id: token.public_id,
        user,
        name: token.name,
        scopes: token.scopes,
        expires: time(token.expires_at),
        used: time(token.used_at),
    };
    let line = |line: Audited| Line {
        at: line.at.format("%Y-%m-%d %H:%M:%S").to_string(),
        caller: line.caller.unwrap_or_else(|| "–".to_owned()),
        action: line.action,
        outcome: line.outcome,
        peer: line.peer.unwrap_or_default(),
    };
    let is_wrong = wrong.is_some();
    let mut response = page(&AccessPage {
        visitor,
        roles: access.roles().names().map(str::to_owned).collect(),
        users: users.into_iter().map(person).collect(),
        tokens: tokens.into_iter().map(key).collect(),
        certificates: certificates(config),
        lines: lines.into_iter().map(line).collect(),
        secret,
        wrong,
        certificate_field: access.certificate_field().name(),
    });
    if is_wrong {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    response
}

pub(super) async fn show(
    store: Data<Store>,
    access: Data<Arc<Access>>,
    config: Data<Config>,
    visitor: Visitor,
) -> HttpResponse {
    match access.has_users().await {
        Ok(true) => draw(&store, (&access, &config), visitor, None, None).await,
        // The first one is another page.
        Ok(false) => moved("/navigator/setup"),
        Err(error) => unavailable(visitor, &error),
    }
}

/// What can be done, as addresses have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    AddUser,
    ChangeRoles,
    DisableUser,
    EnableUser,
    /// An empty value removes it.
    SetCertificate,
    NewDigestSecret,
    RemoveDigestSecret,
    RemoveUser,
    UnlockUser,
    NewPassword,
    AddToken,
    RevokeToken,
}

impl Deed {
    fn find(name: &str) -> Option<Self> {
        Some(match name {
            "add-user" => Self::AddUser,
            "change-roles" => Self::ChangeRoles,
            "disable-user" => Self::DisableUser,
            "enable-user" => Self::EnableUser,
            "set-certificate" => Self::SetCertificate,
            "new-digest-secret" => Self::NewDigestSecret,
            "remove-digest-secret" => Self::RemoveDigestSecret,
            "remove-user" => Self::RemoveUser,
            "unlock-user" => Self::UnlockUser,
            "new-password" => Self::NewPassword,
            "add-token" => Self::AddToken,
            "revoke-token" => Self::RevokeToken,
            _ => return None,
        })
    }
}

/// What came of it.
enum Done {
    Well,
    /// A secret is to be shown.
    Secret(String),
    Wrong(String),
}

/// What a form asks for.
struct Wanted {
    deed: Deed,
    fields: Fields,
    roles: String,
    /// A new password, or digest secret, and how it is stored.
    secret: String,
    stored_secret: String,
    by: Option<String>,
    access: Arc<Access>,
}

impl Wanted {
    fn field(&self, name: &str) -> &str {
        field(&self.fields, name)
    }

    /// The value of the certificate field; empty: none.
    fn certificate(&self) -> Option<String> {
        let value = self.access.certificate_field().normalized(self.field("certificate"));
        Some(value).filter(|value| !value.is_empty())
    }

    /// Does it.
    fn carry_out(&self, db: &mut Db) -> Result<Done, StoreError> {
        let (name, now) = (self.field("name"), Utc::now().naive_utc());
        let nobody = || Done::Wrong(format!("there is no user {name}"));
        let done = |is_done: bool| if is_done { Done::Well } else { nobody() };
        let shown = |is_done: bool| if is_done { Done::Secret(self.secret.clone()) } else { nobody() };
        let roles = self.access.roles();
        let mut change = |change: Change| kept::change(db, roles, name, &change);
        let secret = || Some(Some(self.stored_secret.clone()));
        Ok(match self.deed {
            Deed::AddUser => return self.add_user(db, now),
            Deed::RemoveUser | Deed::DisableUser if self.by.as_deref() == Some(name) => {
                Done::Wrong("nobody removes or disables himself; another administrator can".to_owned())
            }
            Deed::RemoveUser => done(kept::remove(db, roles, name)?),
            Deed::DisableUser => done(change(Change::disabled(now))?),
            Deed::EnableUser => done(change(Change::enabled())?),
            Deed::ChangeRoles => done(change(Change { roles: Some(self.roles.clone()), ..Change::default() })?),
            Deed::SetCertificate => {
                done(change(Change { certificate: Some(self.certificate()), ..Change::default() })?)
            }
            Deed::NewDigestSecret => shown(change(Change { digest_secret: secret(), ..Change::default() })?),
            Deed::RemoveDigestSecret => done(change(Change { digest_secret: Some(None), ..Change::default() })?),
            Deed::UnlockUser => done(change(Change::unlocked())?),
            Deed::NewPassword => shown(change(Change { password: secret(), ..Change::unlocked() })?),
            Deed::AddToken => return self.add_token(db, now),
            Deed::RevokeToken => {
                let id = self.field("id");
                if kept::revoke(db, id, now)? {
                    Done::Well
                } else {
                    Done::Wrong(format!("there is no token {id} that holds"))
                }
            }
        })
    }

    fn add_user(&self, db: &mut Db, now: NaiveDateTime) -> Result<Done, StoreError> {
        let (name, certificate) = (self.field("name"), self.certificate());
        // A user with a certificate needs no password.
        let has_password = certificate.is_none();
        let user = NewUser {
            name: name.to_owned(),
            password: has_password.then(|| self.stored_secret.clone()),
            certificate,
            roles: self.roles.clone(),
            created_at: now,
        };
        Ok(match (kept::add(db, &user)?, has_password) {
            (false, _) => Done::Wrong(format!("there is a user {name} already")),
            (true, true) => Done::Secret(self.secret.clone()),
            (true, false) => Done::Well,
        })
    }

    fn add_token(&self, db: &mut Db, now: NaiveDateTime) -> Result<Done, StoreError> {
        let user = self.field("user");
        let scopes = self.field("scopes").split_whitespace().collect::<Vec<_>>().join(" ");
        if let Err(why) = known_operations().patterns(&scopes) {
            return Ok(Done::Wrong(why));
        }
        let days = match self.field("days").trim() {
            "" => None,
            days => match days.parse::<u16>() {
                Ok(days) => Some(days),
                Err(_) => return Ok(Done::Wrong(format!("\"{days}\" is no number of days"))),
            },
        };
        let Some(user) = kept::by_name(db, user)? else {
            return Ok(Done::Wrong(format!("there is no user {user}")));
        };
        let made = NewToken::make().map_err(StoreError::Unavailable)?;
        let token = kept::NewToken {
            user_id: user.id,
            name: self.field("name").to_owned(),
            public_id: made.public_id,
            secret: made.secret_hash,
            scopes,
            created_at: now,
            expires_at: days.and_then(|days| now.checked_add_signed(TimeDelta::days(days.into()))),
        };
        kept::add_token(db, &token)?;
        Ok(Done::Secret(made.text))
    }
}

pub(super) async fn change(
    store: Data<Store>,
    access: Data<Arc<Access>>,
    config: Data<Config>,
    visitor: Visitor,
    deed: Path<String>,
    fields: Form<Fields>,
) -> HttpResponse {
    let (name, fields) = (deed.into_inner(), fields.into_inner());
    let Some(deed) = Deed::find(&name) else { return not_found(visitor, "There is nothing here.".to_owned()) };
    if !visitor.gave(field(&fields, "form")) {
        return not_ours(visitor);
    }
    let (roles, secret, stored_secret) = match prepared(&store, &access, deed, &fields).await {
        Ok(prepared) => prepared,
        Err(why) => return draw(&store, (&access, &config), visitor, None, Some(why)).await,
    };
    let whose = match deed {
        Deed::AddToken => format!("the token of {}", field(&fields, "user")),
        Deed::RevokeToken => field(&fields, "id").to_owned(),
        Deed::ChangeRoles => format!("{} to {roles}", field(&fields, "name")),
        _ => field(&fields, "name").to_owned(),
    };
    let by = visitor.name().map(str::to_owned);
    let wanted = Wanted { deed, fields, roles, secret, stored_secret, by, access: Arc::clone(&access) };
    let done = match store.write(move |db| wanted.carry_out(db)).await {
        Ok(done) => done,
        Err(StoreError::Refused(error)) => Done::Wrong(error.to_string()),
        Err(error) => return unavailable(visitor, &error),
    };
    visitor.note(&access, format!("{name} {whose}"), !matches!(done, Done::Wrong(_)));
    match done {
        Done::Well => moved("/navigator/access"),
        Done::Secret(secret) => draw(&store, (&access, &config), visitor, Some((whose, secret)), None).await,
        Done::Wrong(why) => draw(&store, (&access, &config), visitor, None, Some(why)).await,
    }
}

/// What has to be known before the transaction: the roles that a form names, a new secret, and that as it is stored.
async fn prepared(
    store: &Store,
    access: &Access,
    deed: Deed,
    fields: &Fields,
) -> Result<(String, String, String), String> {
    let mut roles = String::new();
    if matches!(deed, Deed::AddUser | Deed::ChangeRoles) {
        let named: Vec<String> =
            fields.iter().filter(|(name, _)| name == "role").map(|(_, role)| role.clone()).collect();
        if named.is_empty() {
            return Err("choose a role".to_owned());
        }
        check_name(field(fields, "name"))?;
        roles = access.roles().known(&named)?;
    }
    match deed {
        Deed::AddUser | Deed::NewPassword => {
            let password = new_password()?;
            let hash = access.hash(password.clone()).await?;
            Ok((roles, password, hash))
        }
        Deed::NewDigestSecret => {
            let secret = new_password()?;
            let sealed = sealed_digest(store.secrets(), field(fields, "name"), &secret).map_err(|e| e.to_string())?;
            Ok((roles, secret, sealed))
        }
        _ => Ok((roles, String::new(), String::new())),
    }
}
