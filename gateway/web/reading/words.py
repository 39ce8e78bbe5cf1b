"""What the reading room says, in French and in English."""

from collections.abc import Mapping

from gateway.relay.delivery import State

_SAID: Mapping[str, tuple[str, str]] = {
    "read": ("Messages", "Mail"),
    "folders": ("Dossiers", "Folders"),
    "\\Inbox": ("Réception", "Inbox"),
    "\\Sent": ("Envoyés", "Sent"),
    "\\Drafts": ("Brouillons", "Drafts"),
    "\\Trash": ("Corbeille", "Trash"),
    "\\Junk": ("Indésirables", "Junk"),
    "\\Archive": ("Archives", "Archive"),
    "own": ("Ma boîte", "My mailbox"),
    "write": ("Écrire", "Write"),
    "search": ("Chercher", "Search"),
    "search-in": ("Chercher dans ce dossier", "Search this folder"),
    "found": ("Messages trouvés :", "Messages found:"),
    "found-none": ("Aucun message trouvé.", "No message found."),
    "found-more": (
        "Seuls les plus récents sont montrés : précisez votre recherche.",
        "Only the newest are shown: search more exactly.",
    ),
    "searched-part": (
        "La recherche a été arrêtée au bout de son temps ; elle a lu les plus récents :",
        "The search ran out of time; it has read the newest:",
    ),
    "all-messages": ("Tous les messages", "All messages"),
    "empty": ("Ce dossier est vide.", "This folder is empty."),
    "unread": ("non lu", "unread"),
    "unread-many": ("non lus", "unread"),
    "flagged": ("important", "flagged"),
    "answered": ("répondu", "answered"),
    "no-subject": ("(sans objet)", "(no subject)"),
    "no-sender": ("(expéditeur inconnu)", "(unknown sender)"),
    "older": ("Plus anciens", "Older"),
    "newest": ("Les plus récents", "Newest"),
    "chosen": ("Messages cochés", "Ticked messages"),
    "choose": ("Cocher", "Tick"),
    "mark-read": ("Marquer lus", "Mark read"),
    "mark-unread": ("Marquer non lus", "Mark unread"),
    "mark-unread-one": ("Marquer non lu", "Mark unread"),
    "flag": ("Marquer important", "Flag"),
    "unflag": ("Ne plus marquer", "Unflag"),
    "move": ("Déplacer", "Move"),
    "move-to": ("Déplacer vers", "Move to"),
    "delete": ("Supprimer", "Delete"),
    "delete-forever": ("Supprimer définitivement", "Delete for ever"),
    "done": ("C'est fait.", "Done."),
    "nothing-chosen": ("Aucun message n'était coché.", "No message was ticked."),
    "from": ("De", "From"),
    "to": ("À", "To"),
    "cc": ("Copie", "Cc"),
    "bcc": ("Copie cachée", "Bcc"),
    "date": ("Date", "Date"),
    "subject": ("Objet", "Subject"),
    "text": ("Message", "Message"),
    "attachments": ("Pièces jointes", "Attachments"),
    "no-text": (
        "Ce message n'a pas de texte qui puisse être montré ici.",
        "This message has no text that can be shown here.",
    ),
    "cut": (
        "Le texte est trop long ou mal formé : il est coupé ici. Téléchargez le message entier pour tout lire.",
        "The text is too long or malformed: it is cut here. Download the whole message to read all of it.",
    ),
    "more-parts": (
        "D'autres parties ne sont pas montrées ; elles sont dans le message entier :",
        "Other parts are not shown; they are in the whole message:",
    ),
    "as-html": ("Montrer la version mise en forme", "Show the formatted version"),
    "as-text": ("Montrer le texte simple", "Show the plain text"),
    "html-shown": (
        "Version mise en forme : les images et les liens de l'expéditeur sont retirés, leurs adresses écrites en clair.",
        "Formatted version: the sender's pictures and links are taken out, their addresses written in clear.",
    ),
    "whole": ("Télécharger le message entier", "Download the whole message"),
    "download": ("Télécharger", "Download"),
    "link": ("lien :", "link:"),
    "image": ("image :", "image:"),
    "reply": ("Répondre", "Reply"),
    "reply-all": ("Répondre à tous", "Reply to all"),
    "forward": ("Transférer", "Forward"),
    "edit": ("Reprendre le brouillon", "Go on writing"),
    "back": ("Retour", "Back"),
    "wrote": ("a écrit :", "wrote:"),
    "on": ("Le", "On"),
    "forwarded": (
        "---------- Message transféré ----------",
        "---------- Forwarded message ----------",
    ),
    "new": ("Nouveau message", "New message"),
    "people-hint": (
        "Une ou plusieurs adresses, séparées par des virgules",
        "One or more addresses, separated by commas",
    ),
    "look-up": ("Chercher une adresse", "Look an address up"),
    "look-up-hint": ("Un nom, un établissement ou une adresse", "A name, a place or an address"),
    "look-up-none": (
        "Personne n'est trouvé qui puisse être montré.",
        "Nobody is found who may be shown.",
    ),
    "look-up-many": (
        "Trop de recherches : attendez une minute.",
        "Too many searches: wait a minute.",
    ),
    "add": ("Ajouter", "Add"),
    "keep-file": ("Garder", "Keep"),
    "add-files": ("Joindre des fichiers", "Attach files"),
    "files-limit": ("En tout, au plus", "Together at most"),
    "save": ("Enregistrer le brouillon", "Save the draft"),
    "send": ("Envoyer", "Send"),
    "discard": ("Jeter le brouillon", "Discard the draft"),
    "saved": (
        "Le brouillon est enregistré, scellé, dans Brouillons.",
        "The draft is saved, sealed, in Drafts.",
    ),
    "not-sent": (
        "Rien n'est parti. Corrigez ce qui suit, puis envoyez de nouveau.",
        "Nothing was sent. Mend what follows, then send again.",
    ),
    "did-you-mean": ("Vouliez-vous dire :", "Did you mean:"),
    "take-cure": ("Prendre cette adresse", "Take this address"),
    "not-an-address": (
        "Ce n'est pas une adresse : vérifiez l'orthographe.",
        "This is no mail address: check the spelling.",
    ),
    "nobody": ("Il n'y a pas de destinataire.", "There is no recipient."),
    "too-many": ("Trop de destinataires : au plus", "Too many recipients: at most"),
    "not-yours": (
        "Vous ne pouvez pas écrire au nom de cette boîte.",
        "You may not write in the name of this mailbox.",
    ),
    "old-page": (
        "La page était restée ouverte trop longtemps. Votre texte est là : relisez-le et validez de nouveau. Les fichiers choisis sont à choisir de nouveau.",
        "The page had been open for too long. Your text is here: look at it and press again. Files must be chosen again.",
    ),
    "sent": ("Le message est parti, référence", "The message was accepted, reference"),
    "sent-already": ("Ce message était déjà parti.", "This message had been sent already."),
    "delivery": ("Acheminement", "Delivery"),
    "delivery-refresh": ("Actualiser", "Refresh"),
    "idle": (
        "Sans activité, cette page se ferme et la session se termine au bout de",
        "Without use, this page closes and the session ends after",
    ),
    "minutes": ("minutes", "minutes"),
    "away": ("Page fermée", "Page closed"),
    "away-why": (
        "Personne n'a touché à cette page depuis un moment : elle a été fermée pour que rien n'y reste lisible.",
        "Nobody has touched this page for a while: it was closed, so that nothing on it stays readable.",
    ),
    "too-full": ("La boîte est pleine.", "The mailbox is full."),
    "refused-title": ("Ce n'est pas possible", "This cannot be done"),
    "not-found": (
        "Il n'y a rien à cette adresse, ou ce n'est pas à vous.",
        "There is nothing at this address, or it is not yours.",
    ),
    "no-right": (
        "Vous n'avez pas le droit de faire cela dans cette boîte.",
        "You have no right to do that in this mailbox.",
    ),
    "bad-request": (
        "La demande n'a pas été comprise ; rien n'a été fait.",
        "The request was not understood; nothing was done.",
    ),
    "too-big": (
        "C'est trop grand : {} au plus. Rien n'a été gardé de cet envoi.",
        "That is too large: {} at most. Nothing of this upload was kept.",
    ),
    "gone": (
        "Le message n'est plus là, ou ne peut pas être ouvert.",
        "The message is no longer there, or cannot be opened.",
    ),
    "mailbox": (
        "La boîte ne le permet pas : elle est pleine, ou le dossier n'est plus là.",
        "The mailbox does not allow it: it is full, or the folder is gone.",
    ),
}

W: Mapping[str, Mapping[str, str]] = {
    language: {key: pair[place] for key, pair in _SAID.items()}
    for place, language in enumerate(("fr", "en"))
}

FATES: Mapping[State, tuple[str, str]] = {
    State.QUEUED: ("en cours d'envoi", "on its way"),
    State.SENDING: ("en cours d'envoi", "on its way"),
    State.DEFERRED: (
        "pas encore remis : un autre essai suivra",
        "not handed over yet: another attempt follows",
    ),
    State.FETCHING: (
        "grand document en cours de récupération",
        "a large document is being fetched",
    ),
    State.INSPECTING: ("contenu en cours d'examen", "its content is being examined"),
    State.HELD: (
        "retenu : votre opérateur doit le regarder",
        "held: your operator must look at it",
    ),
    State.RELAYED: (
        "remis à la messagerie du destinataire ; son arrivée n'est pas encore confirmée",
        "handed to the recipient's mail service; its arrival is not confirmed yet",
    ),
    State.DELIVERED: (
        "arrivé dans la boîte du destinataire",
        "arrived in the recipient's mailbox",
    ),
    State.FAILED: (
        "refusé par la messagerie du destinataire ; il ne l'a pas reçu",
        "refused by the recipient's mail service; it was not received",
    ),
    State.EXPIRED: (
        "abandonné après trop d'essais ; il ne l'a pas reçu",
        "given up after too many attempts; it was not received",
    ),
    State.REFUSED: ("non envoyé : ce n'était pas permis", "not sent: it was not allowed"),
    State.CANCELLED: (
        "annulé par votre opérateur ; il ne l'a pas reçu",
        "cancelled by your operator; it was not received",
    ),
    State.UNCONFIRMED: (
        "remis à la messagerie du destinataire, qui n'a rien confirmé : peut-être arrivé",
        "handed to the recipient's mail service, which confirmed nothing: it may have arrived",
    ),
}
