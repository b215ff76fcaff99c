require "active_record"
require "acts_as_list"
require "webrick"

ActiveRecord::Base.establish_connection(ENV.fetch("DATABASE_URL"))

class Article < ActiveRecord::Base
  has_many :paragraphs
end

class Paragraph < ActiveRecord::Base
  belongs_to :article
  acts_as_list scope: :article
end

server = WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: ENV.fetch("PORT"), AccessLog: [])
server.mount_proc("/paragraphs") do
  Article.find(1).paragraphs.create!
ensure
  # The next request gets a connection of its own, as in another process.
  ActiveRecord::Base.connection.tap { |used| ActiveRecord::Base.connection_pool.remove(used) }.disconnect!
end
server.start
