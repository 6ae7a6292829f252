//! The jobs of the Caller that bring records, by the names that their files and calls have.

use soapstone_contracts::exchange::{ImportMode, RunKind};

/// An import.
#[derive(Debug)]
pub struct Job {
    /// As its files and its call have it.
    pub name: &'static str,
    pub kind: RunKind,
    pub mode: ImportMode,
    /// How its columns are mapped.
    pub profile: &'static str,
}

macro_rules! jobs {
    ($($name:literal: $kind:ident $mode:ident;)+) => {
        /// All of them.
        pub const JOBS: &[Job] = &[$(Job {
            name: $name,
            kind: RunKind::$kind,
            mode: ImportMode::$mode,
            profile: include_str!(concat!("../../../../profiles/caller/", $name, ".toml")),
        }),+];
    };
}

jobs! {
    "set_artikel": Articles Full;
    "set_artikel_inkrementell": Articles Partial;
    "set_kategorien": Categories Partial;
    "set_kunden": Customers Partial;
    "set_kunden_vereinen": CustomerMerges Partial;
    "set_lieferadressen": DeliveryAddresses Partial;
    "set_optionsartikel": OptionArticles Partial;
    "set_lieferstatus": DeliveryStatus Partial;
    "set_hersteller": Manufacturers Partial;
    "set_debitorenpreise": PriceEntries Partial;
    "set_zeilenrabatte": LineDiscounts Partial;
    "set_lager": Stock Partial;
    "set_gutscheine": Vouchers Partial;
    "set_seriennummern": SerialNumbers Partial;
    "set_kontierungsgruppen": AccountingGroups Partial;
}

impl Job {
    /// All of them.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        JOBS.iter()
    }

    /// The job of a kind and mode.
    pub fn of(kind: RunKind, mode: ImportMode) -> Option<&'static Self> {
        let of_kind = || JOBS.iter().filter(move |job| job.kind == kind);
        of_kind().find(|job| job.mode == mode).or_else(|| of_kind().next())
    }

    /// The job of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        JOBS.iter().find(|job| job.name == name)
    }

    /// What its file may be called: one of them has no `_inp` in PepperShop's own list.
    pub fn inputs(&self) -> impl Iterator<Item = String> {
        [format!("{}_inp.csv", self.name), format!("{}.csv", self.name)].into_iter()
    }
}
