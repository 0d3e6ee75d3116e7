import { z } from "zod";

/**
 * PasswordSchema is the composition policy that many audits still ask for: 8 characters with upper case, lower case,
 * a digit and another character. Bulwark's own default policy asks for length instead (NIST SP 800-63B-4 section 3.1.1.2).
 */
export const PasswordSchema = z
  .string()
  .min(8, "Password must be at least 8 characters")
  .max(256, "Password must be at most 256 characters")
  .regex(/[A-Z]/, "Password must contain at least one uppercase letter")
  .regex(/[a-z]/, "Password must contain at least one lowercase letter")
  .regex(/[0-9]/, "Password must contain at least one number")
  .regex(/[^A-Za-z0-9]/, "Password must contain at least one special character");
