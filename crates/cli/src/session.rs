//! Which targets a command works on, opened once each and introduced before anything is written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use anyport::call::Identity;
use anyport::mark::Owner;
use anyport::spec::Name;
use anyport::target::TargetUrl;
use anyport::{Connect, Target};

use crate::context::Context;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::progress::Reporter;
use crate::settings::On;

pub(crate) struct Session<'a> {
    context: &'a Context,
    project: Option<Project>,
    open: Mutex<BTreeMap<TargetUrl, Target>>,
    introduced: Mutex<BTreeSet<TargetUrl>>,
    reporter: Arc<Reporter>,
}

impl<'a> Session<'a> {
    /// Reads the manifest, if there is one. Nothing is opened yet.
    pub(crate) fn start(context: &'a Context) -> Result<Self, Failure> {
        Ok(Self {
            project: Project::find(&context.settings)?,
            open: Mutex::default(),
            introduced: Mutex::default(),
            reporter: Arc::new(Reporter::new(&context.output)),
            context,
        })
    }

    /// The manifest, which this command cannot do without.
    pub(crate) fn project(&self) -> Result<&Project, Failure> {
        self.project.as_ref().ok_or_else(|| {
            Failure::new(
                "no_manifest",
                "there is no anyport.toml in this folder or above it",
            )
            .next("make one with `anyport init`, or name one with --manifest")
        })
    }

    pub(crate) fn project_if_any(&self) -> Option<&Project> {
        self.project.as_ref()
    }

    /// In whose name things are changed.
    pub(crate) fn owner(&self) -> Owner {
        match &self.project {
            Some(project) => project.application.owner.clone(),
            None => {
                let environment = self.context.settings.environment.as_deref();
                Owner::new("default", environment.unwrap_or("default"))
            }
        }
    }

    /// The target that `--on` names.
    fn chosen(&self) -> Result<Option<TargetUrl>, Failure> {
        let place = match &self.context.settings.on {
            None => return Ok(None),
            Some(On::Target(url)) => return Ok(Some(url.clone())),
            Some(On::Place(place)) => place,
        };
        let Some(project) = &self.project else {
            return Err(Failure::new(
                "no_manifest",
                format!("--on {place} names a place, and there is no manifest that binds it"),
            )
            .next("name a target by its URL, such as local://"));
        };
        let application = &project.application;
        application
            .places
            .get(place)
            .cloned()
            .map(Some)
            .ok_or_else(|| {
                let known: Vec<&str> = application.places.keys().map(String::as_str).collect();
                let failure = Failure::new(
                    "unbound_place",
                    format!(
                        "the place `{place}` is not bound in environment `{}`",
                        application.environment
                    ),
                );
                match anyport::manifest::nearest(place, known.iter().copied()) {
                    Some(near) => failure.next(format!("did you mean `{near}`?")),
                    None if known.is_empty() => {
                        failure.next("name a target by its URL, such as local://")
                    }
                    None => failure.next(format!("the places are: {}", known.join(", "))),
                }
            })
    }

    /// The target that a function is on, or is to be on.
    pub(crate) fn url_of(&self, name: &Name) -> Result<TargetUrl, Failure> {
        if let Some(url) = self.chosen()? {
            return Ok(url);
        }
        let nowhere = |next: &str| {
            Failure::new("no_target", format!("it is not said where {name} is")).next(next)
        };
        let Some(project) = &self.project else {
            return Err(nowhere(
                "name the target with --on, such as --on local://, or make a manifest with `anyport init`",
            ));
        };
        let application = &project.application;
        if let Some(function) = application
            .functions
            .iter()
            .find(|function| function.name == *name)
        {
            return function.target.clone().ok_or_else(|| {
                nowhere("bind a place under [env.dev.at], or name the target with --on, such as --on local://")
            });
        }
        // It may be deployed although the manifest does not have it any more.
        let urls: BTreeSet<&TargetUrl> = application.places.values().collect();
        match urls.first() {
            Some(&only) if urls.len() == 1 => Ok(only.clone()),
            _ => Err(match project.function(name.as_str()) {
                Err(failure) => failure,
                Ok(_) => nowhere("name the target with --on"),
            }),
        }
    }

    /// Every target that the application is on, with the places that are bound to it.
    pub(crate) fn urls(&self) -> Result<Vec<TargetUrl>, Failure> {
        if let Some(url) = self.chosen()? {
            return Ok(vec![url]);
        }
        let application = &self.project()?.application;
        let urls: BTreeSet<TargetUrl> = application.places.values().cloned().collect();
        if urls.is_empty() {
            return Err(Failure::new("no_target", "the manifest binds no place")
                .next("bind one under [env.dev.at], or name the target with --on, such as --on local://"));
        }
        Ok(urls.into_iter().collect())
    }

    /// Opens a target, once.
    pub(crate) async fn target(&self, url: &TargetUrl) -> Result<Target, Failure> {
        self.target_for(url, self.owner()).await
    }

    /// Opens a target in the name of an owner that a saved plan names.
    pub(crate) async fn target_for(
        &self,
        url: &TargetUrl,
        owner: Owner,
    ) -> Result<Target, Failure> {
        let known = self
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(url)
            .cloned();
        if let Some(target) = known.filter(|target| *target.owner() == owner) {
            return Ok(target);
        }
        let target = Connect::new(url.as_str())
            .owner(owner)
            .cancel(self.context.cancel.clone())
            .progress(Arc::clone(&self.reporter) as Arc<dyn anyport::Progress>)
            .connect()
            .await?;
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(url.clone(), target.clone());
        Ok(target)
    }

    /// The target of a function, by the name that the user gave.
    pub(crate) async fn target_of(&self, name: &str) -> Result<(Name, Target), Failure> {
        let name = self::name(name)?;
        let target = self.target(&self.url_of(&name)?).await?;
        Ok((name, target))
    }

    /// Says, before anything is written, who we are there and where that is. Once for each target.
    pub(crate) async fn introduce(&self, target: &Target) -> Result<(), Failure> {
        let new = self
            .introduced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(target.id().clone());
        if new {
            let identity = target.identify().await?;
            self.context
                .output
                .note(&self.introduction(target, &identity));
        }
        Ok(())
    }

    fn introduction(&self, target: &Target, identity: &Identity) -> String {
        let mut text = format!("{} as {}", target.id(), identity.principal);
        if !identity.account.is_empty() {
            text.push_str(&format!(" in {}", identity.account));
        }
        if identity.endpoint != target.id().as_str() {
            text.push_str(&format!(", at {}", identity.endpoint));
        }
        let places: Vec<&str> = self
            .project
            .iter()
            .flat_map(|project| &project.application.places)
            .filter(|(_, url)| *url == target.id())
            .map(|(place, _)| place.as_str())
            .collect();
        if !places.is_empty() {
            text.push_str(&format!(" (place {})", places.join(", ")));
        }
        text.push_str(&format!(", for {}", target.owner()));
        text
    }

    /// Shows what is done to plans; ends the line that is being drawn.
    pub(crate) fn reporter(&self) -> &Reporter {
        &self.reporter
    }
}

/// A function's name as the user gave it.
pub(crate) fn name(text: &str) -> Result<Name, Failure> {
    text.parse()
        .map_err(|violation: anyport::error::Violation| {
            let failure = Failure::new(
                "invalid_name",
                format!(
                    "{text:?} cannot be the name of a function: {}",
                    violation.rule
                ),
            );
            match violation.nearest {
                Some(near) => failure.next(format!("the nearest name is {near}")),
                None => failure,
            }
        })
}
