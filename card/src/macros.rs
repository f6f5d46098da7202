//! Declaring what goes over the wire: each field is read leniently and unknown fields are kept.

/// A request, or a part of one: `new` takes what is required, setters what is optional. Fields under `given` always go
/// out, begin empty, have setters too, and are read as empty where an answer leaves them out.
macro_rules! request {
    ($(#[$m:meta])* pub struct $name:ident {
        optional { $($(#[$om:meta])* $o:ident : $ot:ty),* $(,)? }
    }) => {
        $crate::macros::object! {
            $(#[$m])* #[derive(Default)] pub struct $name { required {} given {} optional { $($(#[$om])* $o: $ot),* } }
        }

        impl $name {
            /// Without anything that is optional.
            pub fn new() -> Self {
                Self::default()
            }
            $crate::macros::setters! { $($o: $ot),* }
        }
    };
    ($(#[$m:meta])* pub struct $name:ident {
        $(required { $($(#[$rm:meta])* $r:ident : $rt:ty),* $(,)? })?
        $(given { $($(#[$gm:meta])* $g:ident : $gt:ty),* $(,)? })?
        $(optional { $($(#[$om:meta])* $o:ident : $ot:ty),* $(,)? })?
    }) => {
        $crate::macros::object! {
            $(#[$m])* pub struct $name {
                required { $($($(#[$rm])* $r: $rt),*)? }
                given { $($($(#[$gm])* $g: $gt),*)? }
                optional { $($($(#[$om])* $o: $ot),*)? }
            }
        }

        impl $name {
            /// With what is required.
            #[allow(clippy::too_many_arguments, reason = "as many as the platform requires")]
            pub fn new($($($r: impl Into<$rt>,)*)?) -> Self {
                Self {
                    $($($r: $r.into(),)*)?
                    $($($g: Default::default(),)*)?
                    $($($o: None,)*)?
                    extra: $crate::Extra::default(),
                }
            }
            $($crate::macros::setters! { given $($g: $gt),* })?
            $($crate::macros::setters! { $($o: $ot),* })?
        }
    };
}

macro_rules! setters {
    (given $($g:ident : $gt:ty),*) => {
        $(
            #[doc = concat!("Sets `", stringify!($g), "`.")]
            #[must_use]
            pub fn $g(mut self, $g: impl Into<$gt>) -> Self {
                self.$g = $g.into();
                self
            }
        )*
    };
    ($($o:ident : $ot:ty),*) => {
        $(
            #[doc = concat!("Sets `", stringify!($o), "`.")]
            #[must_use]
            pub fn $o(mut self, $o: impl Into<$ot>) -> Self {
                self.$o = Some($o.into());
                self
            }
        )*
    };
}

/// An answer, or a part of one.
macro_rules! answer {
    ($(#[$m:meta])* pub struct $name:ident {
        $(required { $($(#[$rm:meta])* $r:ident : $rt:ty),* $(,)? })?
        $(given { $($(#[$gm:meta])* $g:ident : $gt:ty),* $(,)? })?
        $(optional { $($(#[$om:meta])* $o:ident : $ot:ty),* $(,)? })?
    }) => {
        $crate::macros::object! {
            $(#[$m])* pub struct $name {
                required { $($($(#[$rm])* $r: $rt),*)? }
                given { $($($(#[$gm])* $g: $gt),*)? }
                optional { $($($(#[$om])* $o: $ot),*)? }
            }
        }
    };
}

macro_rules! object {
    ($(#[$m:meta])* pub struct $name:ident {
        required { $($(#[$rm:meta])* $r:ident : $rt:ty),* }
        given { $($(#[$gm:meta])* $g:ident : $gt:ty),* }
        optional { $($(#[$om:meta])* $o:ident : $ot:ty),* }
    }) => {
        $(#[$m])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$rm])* #[serde(with = "crate::wire")] pub $r: $rt,)*
            $($(#[$gm])* #[serde(default, with = "crate::wire")] pub $g: $gt,)*
            $($(#[$om])* #[serde(default, with = "crate::wire", skip_serializing_if = "Option::is_none")]
            pub $o: Option<$ot>,)*
            /// Fields that this version does not know: kept when read, written when sent.
            #[serde(flatten)]
            pub extra: $crate::Extra,
        }

        $crate::macros::plain!($name);
    };
}

/// Types that say themselves how they are read and written.
macro_rules! plain {
    ($($name:ty),+ $(,)?) => {
        $(impl $crate::wire::Wire for $name {
            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                serde::Deserialize::deserialize(deserializer)
            }

            fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(self, serializer)
            }
        })+
    };
}

/// An open enumeration, which may also come as a number.
macro_rules! open {
    ($(#[$m:meta])* pub enum $name:ident { $($body:tt)* }) => {
        favor_core::open_enum! { $(#[$m])* pub enum $name { $($body)* } }

        impl $crate::wire::Wire for $name {
            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as $crate::wire::Wire>::read(deserializer)?;
                Ok(Self::from(text.as_str()))
            }

            fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

pub(crate) use {answer, object, open, plain, request, setters};
