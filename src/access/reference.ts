import { ownedBy } from "./conditions/index.ts";
import { defineAccess } from "./define-access.ts";
import { can } from "./rule.ts";

/** referenceAccess is the access model of the reference API: its roles, permissions, and who may touch which product. */
export const referenceAccess = defineAccess({
  permissions: ["products:read", "products:write", "products:delete"],
  roles: {
    user: { permissions: ["products:read", "products:write"] },
    moderator: { includes: ["user"], permissions: ["products:delete"] },
    admin: { includes: ["moderator"], permissions: "*" },
  },
  subjects: {
    product: {
      fields: [
        "id",
        "name",
        "price",
        "category",
        "description",
        "ownerId",
        "createdAt",
        "updatedAt",
      ],
    },
  },
  rules: [
    can("read", "product", { permission: "products:read" }),
    can("create", "product", {
      permission: "products:write",
      fields: ["name", "price", "category", "description"],
    }),
    can("update", "product", {
      permission: "products:write",
      where: ownedBy("ownerId"),
      fields: ["name", "price", "category", "description"],
    }),
    can("update", "product", {
      roles: ["admin"],
      fields: ["name", "price", "category", "description"],
    }),
    can("delete", "product", { permission: "products:delete" }),
  ],
});
