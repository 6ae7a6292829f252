//! Who has access: users, their tokens, and what was done.

use super::certificates::{Certificate, certificates};
use super::forms::{Fields, field};
use super::visitor::Visitor;
use super::{moved, not_found, not_ours, page, unavailable};
use crate::config::Config;
use crate::domain::access::{NewToken, check_name, hashed, new_password, patterns};
use crate::http::auth::Access;
use crate::store::access::{self as kept, Audited, Change, NewUser, Token, User};
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
}

struct Person {
    name: String,
    roles: String,
    by: String,
    locked: Option<String>,
    is_self: bool,
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
            (Some(certificate), _) => format!("certificate {certificate}"),
            (None, Some(_)) => "password".to_owned(),
            (None, None) => "tokens".to_owned(),
        },
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
    password: String,
    hash: String,
    by: Option<String>,
}

impl Wanted {
    fn field(&self, name: &str) -> &str {
        field(&self.fields, name)
    }

    /// Does it.
    fn carry_out(&self, db: &mut Db) -> Result<Done, StoreError> {
        let (name, now) = (self.field("name"), Utc::now().naive_utc());
        let nobody = || Done::Wrong(format!("there is no user {name}"));
        let done = |is_done: bool| if is_done { Done::Well } else { nobody() };
        Ok(match self.deed {
            Deed::AddUser => return self.add_user(db, now),
            // Who removes himself may leave nobody who could let him in again.
            Deed::RemoveUser if self.by.as_deref() == Some(name) => {
                Done::Wrong("nobody removes himself; another administrator can".to_owned())
            }
            Deed::RemoveUser => done(kept::remove(db, name)?),
            Deed::UnlockUser => done(kept::change(db, name, &Change::unlocked())?),
            Deed::NewPassword => {
                let change = Change { password: Some(self.hash.clone()), ..Change::unlocked() };
                if kept::change(db, name, &change)? { Done::Secret(self.password.clone()) } else { nobody() }
            }
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
        let name = self.field("name");
        let certificate = Some(self.field("certificate").trim().to_owned()).filter(|name| !name.is_empty());
        if let Some(common_name) = &certificate
            && kept::by_certificate(db, common_name)?.is_some()
        {
            return Ok(Done::Wrong(format!("somebody else is known by the certificate {common_name}")));
        }
        // Who shows a certificate needs no password.
        let has_password = certificate.is_none();
        let user = NewUser {
            name: name.to_owned(),
            password: has_password.then(|| self.hash.clone()),
            certificate,
            roles: self.roles.clone(),
            created_at: now,
        };
        Ok(match (kept::add(db, &user)?, has_password) {
            (false, _) => Done::Wrong(format!("there is a user {name} already")),
            (true, true) => Done::Secret(self.password.clone()),
            (true, false) => Done::Well,
        })
    }

    fn add_token(&self, db: &mut Db, now: NaiveDateTime) -> Result<Done, StoreError> {
        let user = self.field("user");
        let scopes = self.field("scopes").split_whitespace().collect::<Vec<_>>().join(" ");
        if let Err(why) = patterns(&scopes) {
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
    let roles: Vec<String> = fields.iter().filter(|(name, _)| name == "role").map(|(_, role)| role.clone()).collect();
    let checked = match deed {
        Deed::AddUser if roles.is_empty() => Err("choose a role".to_owned()),
        Deed::AddUser => check_name(field(&fields, "name")).and_then(|()| access.roles().known(&roles)),
        _ => Ok(String::new()),
    };
    let makes_password = matches!(deed, Deed::AddUser | Deed::NewPassword);
    let made = checked.and_then(|roles| {
        if !makes_password {
            return Ok((roles, String::new(), String::new()));
        }
        let password = new_password()?;
        Ok((roles, hashed(&password)?, password))
    });
    let (roles, hash, password) = match made {
        Ok(made) => made,
        Err(why) => return draw(&store, (&access, &config), visitor, None, Some(why)).await,
    };
    let whose = match deed {
        Deed::AddToken => format!("the token of {}", field(&fields, "user")),
        Deed::RevokeToken => field(&fields, "id").to_owned(),
        _ => field(&fields, "name").to_owned(),
    };
    let by = visitor.name().map(str::to_owned);
    let wanted = Wanted { deed, fields, roles, password, hash, by };
    let done = match store.write(move |db| wanted.carry_out(db)).await {
        Ok(done) => done,
        Err(error) => return unavailable(visitor, &error),
    };
    visitor.note(&access, format!("{name} {whose}"), !matches!(done, Done::Wrong(_)));
    match done {
        Done::Well => moved("/navigator/access"),
        Done::Secret(secret) => draw(&store, (&access, &config), visitor, Some((whose, secret)), None).await,
        Done::Wrong(why) => draw(&store, (&access, &config), visitor, None, Some(why)).await,
    }
}
