// Stands for the script that PhonePe gives to shops: its page in a frame of theirs, and what it calls back.
window.PhonePeCheckout = {
  transact({ tokenUrl, type, callback }) {
    if (type !== "IFRAME") return location.assign(tokenUrl);
    const frame = document.createElement("iframe");
    Object.assign(frame, { src: `${tokenUrl}?framed=1`, title: "PhonePe" });
    Object.assign(frame.style, { position: "fixed", inset: "0", width: "100%", height: "100%", border: "0", background: "#fff" });
    addEventListener("message", function heard(event) {
      if (event.source !== frame.contentWindow) return;
      removeEventListener("message", heard);
      frame.remove();
      callback(event.data);
    });
    document.body.append(frame);
    return undefined;
  },
};
