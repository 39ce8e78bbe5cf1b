"""What the account's pages say, in French and in English; one table, so that neither is forgotten."""

from collections.abc import Mapping

WORDS: Mapping[str, tuple[str, str]] = {
    # On every page.
    "account": ("Mon compte", "My account"),
    "mail": ("Messagerie", "Mail"),
    "overview": ("Accueil", "Home"),
    "devices": ("Appareils", "Devices"),
    "security": ("Sécurité", "Security"),
    "activity": ("Activité", "Activity"),
    "absence": ("Absence", "Absence"),
    "sharing": ("Partage", "Sharing"),
    "log-out": ("Se déconnecter", "Log out"),
    "skip": ("Aller au contenu", "Skip to the content"),
    "menu": ("Rubriques du compte", "Sections of the account"),
    "language": ("English", "Français"),
    "save": ("Enregistrer", "Save"),
    "back": ("Retour", "Back"),
    "never": ("jamais utilisé", "never used"),
    # Coming in.
    "log-in": ("Se connecter", "Log in"),
    "log-in-why": (
        "Votre messagerie de santé : vos appareils, votre sécurité, vos messages.",
        "Your health mail: your devices, your security, your messages.",
    ),
    "address": ("Adresse", "Address"),
    "passphrase": ("Phrase de passe", "Passphrase"),
    "code": ("Code de l'application", "Code of the app"),
    "code-hint": (
        "Six chiffres, qui changent toutes les 30 secondes.",
        "Six digits, new every 30 seconds.",
    ),
    "with-passkey": ("Avec une clé d'accès", "With a passkey"),
    "with-certificate": ("Avec un certificat", "With a certificate"),
    "passkey-hint": (
        "Empreinte, visage, code de l'appareil ou clé de sécurité.",
        "Fingerprint, face, the device's code or a security key.",
    ),
    "or": ("ou", "or"),
    "lost": (
        "Téléphone perdu ou première visite ? Demandez une invitation à votre administrateur.",
        "Lost your telephone, or first visit? Ask your administrator for an invitation.",
    ),
    "have-invitation": ("J'ai une invitation", "I have an invitation"),
    "log-in-failed": (
        "Ces éléments ne permettent pas d'entrer. Vérifiez-les ; un code ne sert qu'une fois.",
        "That does not open an account. Check it; a code works only once.",
    ),
    "throttled": (
        "Trop d'essais manqués. Attendez quelques minutes et recommencez.",
        "Too many failed attempts. Wait a few minutes and try again.",
    ),
    "old-form": (
        "Cette page est trop ancienne, ou n'est pas à nous. Ouvrez-la de nouveau.",
        "This page is too old, or not one of ours. Open it again.",
    ),
    "refused": ("Ce n'est pas possible", "That cannot be done"),
    "logged-out": ("Vous êtes déconnecté.", "You are logged out."),
    # Showing a factor again.
    "confirm": ("Est-ce bien vous ?", "Is it still you?"),
    "confirm-why": (
        "Cette action compte : montrez encore une fois votre second facteur.",
        "This matters: show your second factor once more.",
    ),
    "confirm-do": ("Confirmer", "Confirm"),
    # An invitation.
    "invitation": ("Ouvrir mon compte", "Open my account"),
    "invitation-code": ("Code d'invitation", "Invitation code"),
    "invitation-hint": (
        "Remis par votre administrateur ; valable un jour, une seule fois.",
        "Given by your administrator; good for one day, and once.",
    ),
    "invitation-wrong": (
        "Ce code n'est pas, ou plus, valable. Demandez-en un autre.",
        "This code is not, or no longer, good. Ask for another one.",
    ),
    "continue": ("Continuer", "Continue"),
    "set-up": ("Bienvenue", "Welcome"),
    "set-up-replaces": (
        "Les moyens de connexion précédents seront supprimés.",
        "What you logged in with before will be removed.",
    ),
    "choose-passphrase": ("1. Une phrase de passe", "1. A passphrase"),
    "passphrase-hint": (
        "{least} caractères au moins : quelques mots que vous seul mettriez ensemble.",
        "At least {least} characters: a few words that only you would put together.",
    ),
    "passphrase-again": ("Encore une fois", "Once more"),
    "choose-app": ("2. Une application de codes", "2. An app that makes codes"),
    "scan": (
        "Lisez l'image avec l'application (FreeOTP, Aegis, 2FAS…), ou saisissez la clé.",
        "Read the picture with the app (FreeOTP, Aegis, 2FAS…), or type the key.",
    ),
    "picture": ("Code QR de la clé", "QR code of the key"),
    "seed": ("Clé", "Key"),
    "instead-passkey": ("Plutôt une clé d'accès", "A passkey instead"),
    "instead-hint": (
        "Sans phrase de passe ni code : votre appareil vous reconnaît.",
        "Without passphrase or code: your device knows you.",
    ),
    "create-passkey": ("Créer une clé d'accès", "Create a passkey"),
    "passphrase-length": (
        "Cette phrase de passe est trop courte, ou trop longue.",
        "This passphrase is too short, or too long.",
    ),
    "passphrase-simple": (
        "Cette phrase de passe se devine : prenez des mots plus divers.",
        "This passphrase can be guessed: use more different words.",
    ),
    "passphrase-differs": (
        "Les deux phrases de passe diffèrent.",
        "The two passphrases differ.",
    ),
    "code-wrong": (
        "Ce code n'est pas le bon. Attendez le suivant et recommencez.",
        "This code is not right. Wait for the next one and try again.",
    ),
    "passkey-wrong": (
        "La clé d'accès n'a pas été acceptée. Recommencez.",
        "The passkey was not accepted. Try again.",
    ),
    # The overview.
    "welcome": ("Bonjour", "Hello"),
    "devices-why": (
        "Un mot de passe par appareil : la perte de l'un n'atteint pas les autres.",
        "A password for each device: losing one does not touch the others.",
    ),
    "security-why": (
        "Votre phrase de passe, vos codes et vos clés d'accès.",
        "Your passphrase, your codes and your passkeys.",
    ),
    "activity-why": (
        "Vos connexions, et qui a ouvert votre boîte.",
        "Your log-ins, and who opened your mailbox.",
    ),
    "absence-why": (
        "Ce que lisent vos correspondants quand vous n'êtes pas là.",
        "What your correspondents read while you are away.",
    ),
    "sharing-why": (
        "Les boîtes que vous partagez, et avec qui.",
        "The mailboxes that you share, and with whom.",
    ),
    "mail-why": ("Lire et répondre ici.", "Read and answer here."),
    "away-now": ("Vous êtes absent", "You are away"),
    # Devices.
    "new-device": ("Ajouter un appareil", "Add a device"),
    "label": ("Nom", "Name"),
    "label-hint": (
        "Pour le reconnaître : « téléphone », « cabinet ».",
        "To know it by: “telephone”, “office”.",
    ),
    "scope": ("Peut", "May"),
    "scope-all": ("lire et envoyer", "read and send"),
    "scope-read": ("lire seulement", "only read"),
    "scope-submit": ("envoyer seulement", "only send"),
    "scope-addresses": ("chercher des adresses", "look addresses up"),
    "ends": ("Expire", "Ends"),
    "ends-never": ("jamais", "never"),
    "ends-days": ("dans {days} jours", "in {days} days"),
    "create": ("Créer le mot de passe", "Create the password"),
    "device-made": ("Mot de passe créé", "Password created"),
    "shown-once": (
        "Recopiez-le maintenant dans votre logiciel : il ne sera plus jamais montré.",
        "Copy it into your mail program now: it will never be shown again.",
    ),
    "log-in-name": ("Identifiant", "User name"),
    "password": ("Mot de passe", "Password"),
    "your-devices": ("Vos appareils", "Your devices"),
    "no-devices": ("Aucun appareil pour l'instant.", "No device so far."),
    "created": ("Créé", "Created"),
    "revoked": ("révoqué", "revoked"),
    "expired": ("expiré", "expired"),
    "revoke": ("Révoquer", "Revoke"),
    "revoked-done": (
        "Révoqué. Ses connexions sont fermées.",
        "Revoked. Its connections are closed.",
    ),
    "kind-password": ("mot de passe", "password"),
    "kind-certificate": ("certificat", "certificate"),
    "kind-token": ("jeton de logiciel", "software token"),
    # Security.
    "your-factors": ("Vos moyens de connexion", "What you log in with"),
    "factor-passphrase": ("Phrase de passe", "Passphrase"),
    "factor-totp": ("Application de codes", "App that makes codes"),
    "factor-passkey": ("Clé d'accès", "Passkey"),
    "used": ("Utilisé", "Used"),
    "remove": ("Supprimer", "Remove"),
    "add-app": ("Ajouter une application de codes", "Add an app that makes codes"),
    "add-passkey": ("Ajouter une clé d'accès", "Add a passkey"),
    "change-passphrase": ("Changer la phrase de passe", "Change the passphrase"),
    "too-many-factors": (
        "Vous en avez trop : supprimez-en d'abord.",
        "You have too many: remove some first.",
    ),
    "needs-script": (
        "Une clé d'accès demande JavaScript ; une application de codes s'en passe.",
        "A passkey needs JavaScript; an app that makes codes does not.",
    ),
    "last-one": (
        "C'est votre dernier second facteur : ajoutez-en un autre d'abord.",
        "It is your last second factor: add another one first.",
    ),
    "done": ("C'est fait.", "Done."),
    # Activity.
    "log-ins": ("Dernières connexions", "Last log-ins"),
    "from": ("Depuis", "From"),
    "when": ("Quand", "When"),
    "by": ("Par", "By"),
    "what": ("Résultat", "Result"),
    "accepted": ("réussie", "succeeded"),
    "failed": ("échouée", "failed"),
    "locked": ("bloquée", "locked out"),
    "times": ("{times} fois", "{times} times"),
    "no-log-ins": ("Aucune connexion récente.", "No recent log-ins."),
    "readers": ("Qui a ouvert votre boîte", "Who opened your mailbox"),
    "no-readers": ("Personne d'autre que vous.", "Nobody but you."),
    "who": ("Qui", "Who"),
    "operator": ("administrateur {name}", "administrator {name}"),
    "door-web": ("navigateur", "browser"),
    "door-imap": ("lecture (IMAP)", "reading (IMAP)"),
    "door-submission": ("envoi (SMTP)", "sending (SMTP)"),
    "looked-list": ("a vu la liste des messages", "saw the list of messages"),
    "looked-message": ("a ouvert un message", "opened a message"),
    "looked-part": ("a ouvert une pièce jointe", "opened an attachment"),
    "looked-search": ("a cherché dans les messages", "searched the messages"),
    "looked-handover": ("a transmis le contenu", "handed the content over"),
    # Absence.
    "absence-text": ("Votre message", "Your message"),
    "absence-hint": (
        "Envoyé une fois par semaine à qui vous écrit depuis l'espace de confiance.",
        "Sent once a week to whoever writes to you from the trusted space.",
    ),
    "since": ("À partir du", "From"),
    "until": ("Jusqu'au", "Until"),
    "until-hint": ("Vide : jusqu'à votre retour.", "Empty: until you are back."),
    "set-absence": ("Activer l'absence", "Set the absence"),
    "end-absence": ("Je suis de retour", "I am back"),
    "absence-wrong": (
        "Ces dates ne vont pas : la fin vient avant le début.",
        "These dates do not fit: the end comes before the beginning.",
    ),
    "absence-empty": ("Écrivez un message.", "Write a message."),
    # Sharing.
    "your-own": ("Votre boîte", "Your mailbox"),
    "person": ("Personne", "Person"),
    "rights": ("Droits", "Rights"),
    "right-reader": ("lit", "reads"),
    "right-member": ("lit, classe, répond en son nom", "reads, files, answers in its name"),
    "right-owner": ("lit, répond, décide du partage", "reads, answers, says who shares it"),
    "right-other": ("droits particuliers ({letters})", "particular rights ({letters})"),
    "share": ("Partager", "Share"),
    "unshare": ("Retirer", "Take away"),
    "nobody-shares": ("Personne d'autre.", "Nobody else."),
    "no-shared": ("Aucune boîte n'est partagée avec vous.", "No mailbox is shared with you."),
    "share-wrong": (
        "Impossible : il faut une adresse d'ici, et l'on n'envoie qu'au nom de son domaine.",
        "That cannot be done: it takes an address of ours, and one sends in its own domain only.",
    ),
}


def say(language: str, key: str, **values: object) -> str:
    """Return words in a language; what is in them is escaped by the page."""
    french, english = WORDS[key]
    return (french if language == "fr" else english).format(**values)
