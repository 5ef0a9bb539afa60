//! Builds the world that the steps act on: real clouds or simulated ones, and how to sign in to them.

use super::{context::Context, practice::Practice};
use crate::{
    ask::{prompt::Prompt, token},
    cli::{AzureCloud, SignInKind},
    clouds::{self, Clouds, Endpoints, credential::SignIn, device_code::DeviceCode},
    engine::{Event, Pace},
    error::{Error, Kind},
    fact::Secret,
    http::Http,
    providers::Provider,
};
use std::{env, fs, rc::Rc, time::Duration};

/// The clouds, and the sandbox that simulates them, if one does.
pub struct Session {
    /// The world of the steps.
    pub clouds: Clouds,
    /// The sandbox; it stops when this is dropped.
    pub practice: Option<Practice>,
}

/// Looks are this much faster in the sandbox, whose changes take seconds instead of minutes.
const PRACTICE_PACE: Pace = Pace {
    first: Duration::from_secs(1),
    scale: 0.25,
};

impl Session {
    /// Opens the real clouds, or the given sandbox.
    ///
    /// # Errors
    /// When an address, a certificate or the sign-in's settings are no good.
    pub fn open(context: &Context<'_>, practice: Option<Practice>) -> Result<Self, Error> {
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
            None => (endpoints(context)?, sign_in(context)?),
        };
        let mut clouds = Clouds::new(http, endpoints, sign_in);
        if practice.is_some() {
            clouds.pace = PRACTICE_PACE;
        }
        listen(context, &clouds.http);
        Ok(Self { clouds, practice })
    }

    /// Gives the provider's token to the clouds, if it can be had without asking.
    pub fn find_token(&self, provider: &Provider) {
        let token = match &self.practice {
            Some(practice) => Some(practice.token(provider.id)),
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
            format!("the {} is missing", provider.token.words()),
        )
        .hint(format!(
            "put it into {}; it is made in the console: {}",
            provider.token.variables()[0],
            provider.console
        )))
    }
}

/// The host of Entra's pages in the chosen cloud.
pub fn login_host(context: &Context<'_>) -> &'static str {
    cloud(context).login_host()
}

fn cloud(context: &Context<'_>) -> clouds::AzureCloud {
    match context.azure_cloud() {
        AzureCloud::Public => clouds::AzureCloud::Public,
        AzureCloud::Usgovernment => clouds::AzureCloud::UsGovernment,
        AzureCloud::China => clouds::AzureCloud::China,
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name)
        .ok()
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

fn endpoints(context: &Context<'_>) -> Result<Endpoints, Error> {
    Endpoints::new(cloud(context), &|name| variable(name)).map_err(|error| {
        Error::usage(error.to_string()).hint("correct the variable, or leave it out")
    })
}

fn sign_in(context: &Context<'_>) -> Result<SignIn, Error> {
    let environment = || {
        Some(SignIn::Environment {
            client_id: variable("AZURE_CLIENT_ID")?,
            tenant: variable("AZURE_TENANT_ID")?,
            secret: Secret::from(variable("AZURE_CLIENT_SECRET")?),
        })
    };
    Ok(match context.sign_in() {
        None => environment().unwrap_or(SignIn::Az),
        Some(SignInKind::Az) => SignIn::Az,
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
            let view = context.shared_view();
            SignIn::DeviceCode(DeviceCode::new(move |text| {
                view.borrow_mut().note(&crate::view::clean(text));
            }))
        }
        Some(SignInKind::ManagedIdentity) => SignIn::ManagedIdentity {
            client_id: variable("AZURE_CLIENT_ID"),
        },
        Some(SignInKind::WorkloadIdentity) => SignIn::WorkloadIdentity,
    })
}

/// Shows and logs what the executor of requests does.
fn listen(context: &Context<'_>, http: &Http) {
    let (view, step) = (context.shared_view(), context.shared_step());
    http.on_notice(move |notice| {
        let step: String = step.borrow().clone();
        if step.is_empty() {
            // Before the run there are no events yet.
            let text = format!(
                "{}; trying again in {}",
                notice.because,
                crate::view::duration(notice.after.as_secs_f64())
            );
            view.borrow_mut().note(&text);
            return;
        }
        view.borrow_mut().event(&Event::Retrying {
            step: &step,
            because: &notice.because,
            attempt: notice.attempt,
            after: notice.after.as_secs_f64(),
        });
    });
    let (view, log) = (context.shared_view(), Rc::clone(&context.shared_log()));
    http.on_request(move |line| {
        view.borrow_mut().request(&line);
        if let Some(log) = log.borrow_mut().as_mut() {
            log.line(&line);
        }
    });
}
