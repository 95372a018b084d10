"""What MyProximus writes to people, on which occasion; see the pages named in `entities`.

Text messages have a single text of 160 characters, so what may be cut, the name, stands last.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from authz_service.store.template import Template, Wording

_ADMINISTRATOR_ADDED: Final = Template(
    # AU 5: "Any other administrator(s) will be informed about the change by e-mail."
    fields=frozenset({"customer", "customer_name", "person_name"}),
    wordings={
        "en": Wording(
            subject="A new administrator for $customer_name",
            text="""\
Hello,

$person_name has become an administrator of $customer_name (customer number $customer) in MyProximus.

Administrators manage all subscriptions under this customer number: the bills, the usage and the options.

You receive this message because you are an administrator of this customer number as well. You do not have to do anything. If you did not expect this change, please contact us.

MyProximus
""",
        ),
        "nl": Wording(
            subject="Een nieuwe beheerder voor $customer_name",
            text="""\
Hallo,

$person_name is beheerder geworden van $customer_name (klantnummer $customer) in MyProximus.

Beheerders beheren alle abonnementen onder dit klantnummer: de facturen, het verbruik en de opties.

U ontvangt dit bericht omdat u ook beheerder van dit klantnummer bent. U hoeft niets te doen. Had u deze wijziging niet verwacht? Neem dan contact met ons op.

MyProximus
""",
        ),
        "fr": Wording(
            subject="Un nouvel administrateur pour $customer_name",
            text="""\
Bonjour,

$person_name est désormais administrateur de $customer_name (numéro de client $customer) dans MyProximus.

Les administrateurs gèrent tous les abonnements liés à ce numéro de client : les factures, la consommation et les options.

Vous recevez ce message parce que vous êtes également administrateur de ce numéro de client. Vous n'avez rien à faire. Si vous ne vous attendiez pas à ce changement, contactez-nous.

MyProximus
""",
        ),
    },
)

_ACCESS_OWNER_CONFIRMED: Final = Template(
    # GS 3.7: "Confirmation of the creation of the Access Owner received by e-mail."
    fields=frozenset({"customer", "customer_name", "person_name"}),
    wordings={
        "en": Wording(
            subject="You are now the Access Owner of $customer_name",
            text="""\
Hello $person_name,

Your registration is complete: you are now the Access Owner of $customer_name (customer number $customer) in MyProximus.

As the Access Owner you manage the account, the other users and what they have access to. Colleagues who want access as a Delegate User send you a request, which you approve or reject in MyProximus.

MyProximus
""",
        ),
        "nl": Wording(
            subject="U bent nu Access Owner van $customer_name",
            text="""\
Hallo $person_name,

Uw registratie is voltooid: u bent nu Access Owner van $customer_name (klantnummer $customer) in MyProximus.

Als Access Owner beheert u de account, de andere gebruikers en hun toegang. Collega's die als Delegate User toegang willen, sturen u een aanvraag, die u in MyProximus goedkeurt of weigert.

MyProximus
""",
        ),
        "fr": Wording(
            subject="Vous êtes désormais Access Owner de $customer_name",
            text="""\
Bonjour $person_name,

Votre inscription est terminée : vous êtes désormais Access Owner de $customer_name (numéro de client $customer) dans MyProximus.

En tant qu'Access Owner, vous gérez le compte, les autres utilisateurs et leurs accès. Les collègues qui souhaitent un accès en tant que Delegate User vous envoient une demande, que vous approuvez ou refusez dans MyProximus.

MyProximus
""",
        ),
    },
)

_CONFIRM: Final = {
    "en": "Confirm your MyProximus login",
    "nl": "Bevestig uw login voor MyProximus",
    "fr": "Confirmez votre login MyProximus",
}

_DELEGATE_LINK: Final = Template(
    # GS 3.8.4: "Click the link contained in the e-mail 'Confirm your MyProximus login'"
    fields=frozenset({"customer", "customer_name", "person_name", "link"}),
    wordings={
        "en": Wording(
            subject=_CONFIRM["en"],
            text="""\
Hello $person_name,

Your request for access as a Delegate User of $customer_name (customer number $customer) has been approved. Click this link to complete your registration:

$link

The link works once, within 24 hours. Do not pass it on. If you did not ask for access, ignore this message.

MyProximus
""",
        ),
        "nl": Wording(
            subject=_CONFIRM["nl"],
            text="""\
Hallo $person_name,

Uw aanvraag om als Delegate User toegang te krijgen tot $customer_name (klantnummer $customer) is goedgekeurd. Klik op deze link om uw registratie te voltooien:

$link

De link werkt één keer, binnen 24 uur. Geef hem niet door. Hebt u geen toegang gevraagd? Dan mag u dit bericht negeren.

MyProximus
""",
        ),
        "fr": Wording(
            subject=_CONFIRM["fr"],
            text="""\
Bonjour $person_name,

Votre demande d'accès en tant que Delegate User de $customer_name (numéro de client $customer) a été approuvée. Cliquez sur ce lien pour terminer votre inscription :

$link

Le lien fonctionne une seule fois, dans les 24 heures. Ne le transmettez à personne. Si vous n'avez pas demandé d'accès, ignorez ce message.

MyProximus
""",
        ),
    },
)

_DELEGATE_TOKEN: Final = Template(
    # the same where there is no page to which a link could lead
    fields=frozenset({"customer", "customer_name", "person_name", "request", "token"}),
    wordings={
        "en": Wording(
            subject=_CONFIRM["en"],
            text="""\
Hello $person_name,

Your request for access as a Delegate User of $customer_name (customer number $customer) has been approved. Enter the following in MyProximus to complete your registration:

Request: $request
Token: $token

The token works once, within 24 hours. Do not pass it on. If you did not ask for access, ignore this message.

MyProximus
""",
        ),
        "nl": Wording(
            subject=_CONFIRM["nl"],
            text="""\
Hallo $person_name,

Uw aanvraag om als Delegate User toegang te krijgen tot $customer_name (klantnummer $customer) is goedgekeurd. Voer het volgende in MyProximus in om uw registratie te voltooien:

Aanvraag: $request
Token: $token

Het token werkt één keer, binnen 24 uur. Geef het niet door. Hebt u geen toegang gevraagd? Dan mag u dit bericht negeren.

MyProximus
""",
        ),
        "fr": Wording(
            subject=_CONFIRM["fr"],
            text="""\
Bonjour $person_name,

Votre demande d'accès en tant que Delegate User de $customer_name (numéro de client $customer) a été approuvée. Saisissez ceci dans MyProximus pour terminer votre inscription :

Demande : $request
Jeton : $token

Le jeton fonctionne une seule fois, dans les 24 heures. Ne le transmettez à personne. Si vous n'avez pas demandé d'accès, ignorez ce message.

MyProximus
""",
        ),
    },
)

_DELEGATE_CODE: Final = Template(
    # GS, mobile, step 3: "enter the code you receive by text message"
    fields=frozenset({"code", "customer_name"}),
    wordings={
        "en": Wording(
            "$code is your MyProximus code, valid for 10 minutes. Never share it."
            " Access to: $customer_name"
        ),
        "nl": Wording(
            "$code is uw MyProximus-code, 10 minuten geldig. Deel deze code met niemand."
            " Toegang tot: $customer_name"
        ),
        "fr": Wording(
            "$code est votre code MyProximus, valable 10 minutes. Ne le partagez jamais."
            " Accès à : $customer_name"
        ),
    },
)

TEMPLATES: Final = {
    "administrator_added": (_ADMINISTRATOR_ADDED,),
    "access_owner_confirmed": (_ACCESS_OWNER_CONFIRMED,),
    "delegate_link": (_DELEGATE_LINK, _DELEGATE_TOKEN),
    "delegate_code": (_DELEGATE_CODE,),
}


def write_confirmation(page: str, request: str, token: str) -> dict[str, str]:
    """Write the fields by which a `delegate_link` says how to confirm the request.

    Arguments:
        page: the URL of the page to which links lead; empty where there is none.
        request: the id of the delegate request.
        token: its one-time token.
    """
    if not page:
        return {"request": request, "token": token}
    return {"link": f"{page}?{urlencode({'request': request, 'token': token})}"}
