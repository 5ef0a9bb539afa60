//! Builds the world that the steps act on: real clouds or simulated ones, and how to sign in to them.

use super::{
    context::{Context, SigningIn},
    practice::Practice,
    stream::Stream,
};
use crate::{
    ask::{prompt::Prompt, token},
    cli::SignInKind,
    clouds::{Clouds, Endpoints, az::Az, credential::SignIn, device_code::DeviceCode},
    engine::Pace,
    error::{Error, Kind},
    fact::Secret,
    http::Http,
    provider::Provider,
    providers,
    store::Log,
};
use std::{env, fs};

/// The clouds, and the sandbox that simulates them, if one does.
pub struct Session {
    /// The world of the steps.
    pub clouds: Clouds,
    /// The sandbox; it stops when this is dropped.
    pub practice: Option<Practice>,
    /// How fast to look again.
    pub pace: Pace,
}

/// Looks are this much faster in the sandbox, whose changes take seconds instead of minutes.
const PRACTICE_PACE: Pace = Pace {
    first: Pace::REAL.first,
    scale: 0.25,
};

impl Session {
    /// Opens the real clouds, or the given sandbox.
    ///
    /// # Errors
    /// When an address, a certificate or the sign-in's settings are no good.
    pub fn open(
        context: &Context<'_>,
        signing_in: SigningIn,
        practice: Option<Practice>,
    ) -> Result<Self, Error> {
        let mut roots = Vec::new();
        if let Some(path) = &context.global.ca_cert {
            let pem = fs::read(path).map_err(|error| {
                Error::usage(format!("cannot read `--ca-cert {}`", path.display()))
                    .from_source(error)
            })?;
            roots.push(pem);
        }
        if let Some(practice) = &practice {
            roots.push(practice.root());
        } else if cfg!(not(target_os = "linux"))
            && let Some(path) = env::var_os("SSL_CERT_FILE")
            && let Ok(pem) = fs::read(path)
        {
            // On Linux the verifier reads it itself; elsewhere it asks the system's store alone.
            roots.push(pem);
        }
        let http = Http::new(&roots).map_err(|reason| {
            Error::usage(format!("cannot set up TLS: {reason}"))
                .hint("`--ca-cert` and SSL_CERT_FILE name files with certificates in PEM form")
        })?;
        let (endpoints, sign_in) = match &practice {
            Some(practice) => (practice.endpoints()?, practice.sign_in()),
            None => (endpoints(signing_in)?, sign_in(context, signing_in)?),
        };
        let session = Self {
            clouds: Clouds::new(http, endpoints, sign_in),
            pace: practice.as_ref().map_or(Pace::REAL, |_| PRACTICE_PACE),
            practice,
        };
        session.listen(&context.stream, None);
        Ok(session)
    }

    /// Shows the requests from now on, and notes them in the run's log once there is a run.
    pub fn listen(&self, stream: &Stream, mut log: Option<Log>) {
        let stream = stream.clone();
        self.clouds.http.on_request(move |line| {
            stream.request(&line);
            if let Some(log) = &mut log {
                log.line(&line);
            }
        });
    }

    /// Gives the provider's token to the clouds, if it can be had without asking.
    pub fn find_token(&self, provider: &Provider) {
        let token = match &self.practice {
            Some(practice) => Some(practice.token(provider)),
            None => token::find(provider.token),
        };
        if let Some(token) = token {
            self.clouds.use_provider_token(token);
        }
    }

    /// Makes sure that there is a token for the provider.
    ///
    /// # Errors
    /// When there is none and nobody can be asked.
    pub fn need_token(&self, provider: &Provider, prompt: &mut dyn Prompt) -> Result<(), Error> {
        if self.clouds.has_provider_token() {
            return Ok(());
        }
        if prompt.can_ask() {
            self.clouds
                .use_provider_token(token::ask(prompt, provider.token)?);
            return Ok(());
        }
        Err(Error::new(
            Kind::SignIn,
            format!("the {} is missing", provider.token.words),
        )
        .hint(format!(
            "put it into {}; it is made in the console: {}",
            provider.token.variables[0], provider.console
        )))
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name)
        .ok()
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

fn endpoints(signing_in: SigningIn) -> Result<Endpoints, Error> {
    Endpoints::new(signing_in.cloud, &providers::vendors(), &|name| {
        variable(name)
    })
    .map_err(|error| Error::usage(error.to_string()).hint("correct the variable, or leave it out"))
}

/// The variables that hold secrets which are no business of other programs.
pub(super) fn secrets() -> Vec<&'static str> {
    let tokens = providers::tokens().into_iter();
    let tokens = tokens.flat_map(|kind| kind.variables).copied();
    let azure = ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD"];
    tokens.chain(azure).collect()
}

fn sign_in(context: &Context<'_>, signing_in: SigningIn) -> Result<SignIn, Error> {
    let environment = || {
        Some(SignIn::Environment {
            client_id: variable("AZURE_CLIENT_ID")?,
            tenant: variable("AZURE_TENANT_ID")?,
            secret: Secret::from(variable("AZURE_CLIENT_SECRET")?),
        })
    };
    let az = || SignIn::Az(Az::hiding(secrets()));
    Ok(match signing_in.how {
        None => environment().unwrap_or_else(az),
        Some(SignInKind::Az) => az(),
        Some(SignInKind::Environment) => environment().ok_or_else(|| {
            let missing: Vec<&str> = ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"]
                .into_iter()
                .filter(|name| variable(name).is_none())
                .collect();
            Error::new(
                Kind::SignIn,
                format!("`--sign-in environment` needs {}", missing.join(", ")),
            )
            .hint("set them, or choose another `--sign-in`")
        })?,
        Some(SignInKind::DeviceCode) => {
            let stream = context.stream.clone();
            SignIn::DeviceCode(DeviceCode::new(move |text| {
                stream.note(&crate::view::clean(text));
            }))
        }
        Some(SignInKind::ManagedIdentity) => SignIn::ManagedIdentity {
            client_id: variable("AZURE_CLIENT_ID"),
        },
        Some(SignInKind::WorkloadIdentity) => SignIn::WorkloadIdentity,
    })
}
