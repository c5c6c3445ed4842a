// The site's search runs in a worker, and browsers give none to a page that was opened as a file. There, this stands in: the
// same script in a hidden frame. mkdocs.yml names it; it loads nothing but the script it is given.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.appendChild(frame);
      const inside = frame.contentWindow;
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.tell = (data) => inside.dispatchEvent(new inside.MessageEvent("message", { data }));
      const script = inside.document.createElement("script");
      script.src = new URL(address, location);
      this.ready = new Promise((done) => script.addEventListener("load", done));
      inside.document.body.appendChild(script);
    }

    postMessage(data) {
      this.ready.then(() => this.tell(data));
    }
  };
}
