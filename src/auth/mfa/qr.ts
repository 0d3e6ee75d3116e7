import { renderSVG } from "uqr";

/** Modules of light around a QR code, so that a camera finds its edges (ISO/IEC 18004 section 9.1). */
const QUIET_ZONE = 4;

/**
 * qrCode draws a text of up to 2,331 bytes as an SVG that loads nothing and runs nothing. Dark on light whatever the page's colours,
 * since cameras expect it. Throws a RangeError only if the text is longer.
 */
export const qrCode = (text: string): string =>
  renderSVG(text, { border: QUIET_ZONE, ecc: "M" }).replace(
    "<svg ",
    '<svg role="img" aria-label="QR code for an authenticator app" ',
  );
