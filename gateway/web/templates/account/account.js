// Passkeys: the only thing that these pages cannot do without a script.
"use strict";

const octets = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const listed = (list) => (list || []).map((each) => ({ ...each, id: octets(each.id) }));

async function asked(kind, options) {
  const publicKey = { ...options, challenge: octets(options.challenge) };
  if (kind === "create") {
    publicKey.user = { ...options.user, id: octets(options.user.id) };
    publicKey.excludeCredentials = listed(options.excludeCredentials);
    return navigator.credentials.create({ publicKey });
  }
  publicKey.allowCredentials = listed(options.allowCredentials);
  return navigator.credentials.get({ publicKey });
}

function told(found) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (found.response[name]) response[name] = text(found.response[name]);
  }
  return JSON.stringify({
    id: found.id, rawId: text(found.rawId), type: found.type, response, clientExtensionResults: {},
  });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const found = await asked(form.dataset.passkey, JSON.parse(form.dataset.options));
      form.elements.answer.value = told(found);
      form.submit();
    } catch {
      button.disabled = false; // the person thought better of it, or the device has none
    }
  });
}
