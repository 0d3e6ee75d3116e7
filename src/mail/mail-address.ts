import type { Mail } from "../core/index.ts";

/** One plain address in ASCII: no quotes, no comment, no list, no route, nothing that a mailer reads otherwise than a validator. */
const ADDRESS =
  /^(?=.{3,254}$)(?=[^@]{1,64}@)[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?!-)[a-zA-Z0-9-]{1,63}(?:\.[a-zA-Z0-9-]{1,63})*$/;

const MAX_SUBJECT = 200;
const CONTROL = /\p{Cc}|[\u2028\u2029]/u;

/** isMailAddress tells one plain ASCII address of at most 254 characters, as accounts have them. */
export const isMailAddress = (text: string): boolean => ADDRESS.test(text);

/**
 * checkMail returns the mail if it can be sent as it is.
 * Throws a TypeError only if `to` is not one plain address, or `subject` is empty, longer than 200 characters or not one line, so
 * that no text of a person becomes a header or a second recipient.
 */
export function checkMail<M extends Mail>(mail: M): M {
  if (!isMailAddress(mail.to)) {
    throw new TypeError(`to: expected one plain address, came ${mail.to.length} other characters`);
  }
  const { length } = mail.subject;
  if (length === 0 || length > MAX_SUBJECT || CONTROL.test(mail.subject)) {
    const came = length > MAX_SUBJECT ? `${length} characters` : "an empty text, or line breaks";
    throw new TypeError(
      `subject: expected one line of 1 to ${MAX_SUBJECT} characters, came ${came}`,
    );
  }
  return mail;
}
